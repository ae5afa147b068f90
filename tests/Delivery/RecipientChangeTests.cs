using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Webhooks.Events;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

public class RecipientChangeTests(TestPostgres postgres)
{
    [Fact]
    public async Task What_is_canceled_leaves_the_queue_with_an_event()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org", "sam@example.org");

        Assert.Equal([sent.Recipients[0].Id], await ApplyAsync(bed, RecipientChange.Cancel, sent.Recipients[0].Id));
        Assert.Empty(await ApplyAsync(bed, RecipientChange.Cancel, sent.Recipients[0].Id));

        Assert.Equal([RecipientStatus.Canceled, RecipientStatus.Queued], (await bed.RecipientsAsync(sent)).Select(r => r.Status));
        Assert.Equal([(EventType.MessageAccepted, 1), (EventType.MessageCanceled, 2)], (await bed.EventsAsync(sent.Recipients[0].Id)).Select(e => (e.Type, e.Sequence)));
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM queue"));
    }

    [Fact]
    public async Task What_is_held_is_not_claimed_until_it_is_released()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org");
        var later = await bed.SendAsync("sam@example.org");

        await bed.ExecuteAsync("UPDATE account SET suspended_at = now()");
        await ApplyAsync(bed, RecipientChange.Hold, sent.Recipients[0].Id);
        await bed.ExecuteAsync("UPDATE account SET suspended_at = NULL");
        bed.Node.Deliver();
        await bed.UntilAsync(later, RecipientStatus.Delivered);
        Assert.Equal(RecipientStatus.Held, (await bed.RecipientsAsync(sent)).Single().Status);

        await ApplyAsync(bed, RecipientChange.Release, sent.Recipients[0].Id);
        await bed.UntilAsync(sent, RecipientStatus.Delivered);
        Assert.Equal(
            [EventType.MessageAccepted, EventType.MessageHeld, EventType.MessageScheduled, EventType.MessageDelivered],
            (await bed.EventsAsync(sent.Recipients[0].Id)).Select(e => e.Type));
    }

    [Fact]
    public async Task Who_is_not_stopped_is_not_held()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");

        // As a walk that began before somebody let the account go on.
        Assert.Empty(await ApplyAsync(bed, RecipientChange.Hold, sent.Recipients[0].Id));

        Assert.Equal(RecipientStatus.Queued, (await bed.RecipientsAsync(sent)).Single().Status);
    }

    [Theory, InlineData(0, RecipientStatus.Queued), InlineData(1, RecipientStatus.Delayed)]
    public async Task The_event_of_a_release_tells_what_goes_on(int attempts, RecipientStatus status)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET held = true, attempts = {attempts}");

        Assert.Single(await ApplyAsync(bed, RecipientChange.Release, sent.Recipients[0].Id));

        Assert.Equal(status, (await bed.RecipientsAsync(sent)).Single().Status);
        var released = (await bed.EventsAsync(sent.Recipients[0].Id))[^1];
        Assert.Equal(status.ToString(), Stored.StatusAfter(released.Type, released.Detail).ToString());
        await bed.ExecuteAsync("UPDATE queue SET attempts = 0");
    }

    [Theory, InlineData(RecipientChange.Cancel, RecipientStatus.Canceled), InlineData(RecipientChange.Reschedule, RecipientStatus.Scheduled)]
    public async Task What_another_change_has_in_hand_is_changed_after_it(RecipientChange change, RecipientStatus status)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org", "sam@example.org");
        var recipients = sent.Recipients.Select(r => r.Id).ToArray();
        await using var other = await OtherTransaction.BeginAsync(bed.Database, "UPDATE queue SET due_at = due_at", "UPDATE recipient SET next_attempt_at = next_attempt_at");

        var changing = Changes(bed).ApplyAsync(recipients, change, null, change == RecipientChange.Reschedule ? TimeProvider.System.GetUtcNow().AddDays(1) : null, Stop);
        await other.IsAwaitedAsync();
        await other.CommitAsync();

        Assert.Equal(recipients, (await changing).Order());
        Assert.All(await bed.RecipientsAsync(sent), r => Assert.Equal((status, 2), (r.Status, r.EventSequence)));
    }

    [Fact]
    public async Task Changes_take_rows_in_the_order_of_ids_wherever_they_lie()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync([.. Enumerable.Range(0, 20).Select(n => $"r{n}@example.org")]);
        var recipients = sent.Recipients.Select(r => r.Id).Order().ToArray();
        // The first now lies behind the last.
        await bed.ExecuteAsync($"UPDATE queue SET due_at = due_at WHERE recipient_id = {recipients[0]}");
        await using var other = await OtherTransaction.BeginAsync(bed.Database, $"UPDATE queue SET due_at = due_at WHERE recipient_id = {recipients[0]}");

        var changing = ApplyAsync(bed, RecipientChange.Cancel, recipients);
        await other.IsAwaitedAsync();
        // Who waits for the first has none of the others, so this does not wait for it in turn.
        await other.ExecuteAsync($"SELECT 1 FROM queue WHERE recipient_id = {recipients[^1]} FOR UPDATE NOWAIT");
        await other.CommitAsync();

        Assert.Equal(recipients, (await changing).Order());
    }

    [Fact]
    public async Task A_row_in_a_workers_hand_is_left_alone()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET session_id = {bed.Node.Session.Id}");

        Assert.Empty(await ApplyAsync(bed, RecipientChange.Cancel, sent.Recipients[0].Id));
        Assert.Equal([sent.Recipients[0].Id], await Changes(bed).ApplyAsync([sent.Recipients[0].Id], RecipientChange.Suppress, bed.Node.Session.Id, null, Stop));
        Assert.Equal(RecipientStatus.Suppressed, (await bed.RecipientsAsync(sent)).Single().Status);
    }

    [Fact]
    public async Task A_new_time_moves_the_end_of_its_life_too_and_only_before_the_first_attempt()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");
        var at = new DateTimeOffset(2040, 1, 1, 0, 0, 0, TimeSpan.Zero);

        Assert.Single(await Changes(bed).ApplyAsync([sent.Recipients[0].Id], RecipientChange.Reschedule, null, at, Stop));
        var recipient = (await bed.RecipientsAsync(sent)).Single();
        Assert.Equal((RecipientStatus.Scheduled, at), (recipient.Status, recipient.NextAttemptAt));
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM queue WHERE due_at = '2040-01-01Z' AND expires_at = '2040-01-03Z'"));

        await bed.ExecuteAsync("UPDATE queue SET attempts = 1");
        Assert.Empty(await Changes(bed).ApplyAsync([sent.Recipients[0].Id], RecipientChange.Reschedule, null, at, Stop));
        await bed.ExecuteAsync("UPDATE queue SET attempts = 0");
    }

    [Fact]
    public async Task All_that_is_queued_from_a_domain_is_held_released_and_canceled_and_nothing_else()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        for (var n = 0; n < 3; n++) await bed.SendAsync([.. Enumerable.Range(0, 700).Select(r => $"r{r}@m{n}.example.org")]);
        // One in three is from another domain.
        var domain = await bed.CountAsync("SELECT id FROM domain WHERE name = 'acme.example'");
        await bed.ExecuteAsync("UPDATE queue SET domain_id = domain_id + 1 WHERE recipient_id % 3 = 0; UPDATE domain SET suspended_at = now()");
        var from = await bed.CountAsync($"SELECT count(*) FROM queue WHERE domain_id = {domain}");
        Assert.InRange(from, 1001, 2099);

        Assert.Equal(from, await Changes(bed).ApplyToDomainAsync(domain, RecipientChange.Hold, Stop));
        Assert.Equal(from, await bed.CountAsync($"SELECT count(*) FROM queue WHERE held AND domain_id = {domain}"));
        Assert.Equal(0, await bed.CountAsync($"SELECT count(*) FROM queue WHERE held AND domain_id <> {domain}"));

        Assert.Equal(0, await Changes(bed).ApplyToDomainAsync(domain, RecipientChange.Release, Stop));
        await bed.ExecuteAsync("UPDATE domain SET suspended_at = NULL; UPDATE account SET suspended_at = now()");
        Assert.Equal(0, await Changes(bed).ApplyToDomainAsync(domain, RecipientChange.Release, Stop));
        await bed.ExecuteAsync("UPDATE account SET suspended_at = NULL");
        Assert.Equal(from, await Changes(bed).ApplyToDomainAsync(domain, RecipientChange.Release, Stop));

        // Held or not.
        await bed.ExecuteAsync("UPDATE queue SET held = true WHERE recipient_id % 2 = 0");
        Assert.Equal(from, await Changes(bed).ApplyToDomainAsync(domain, RecipientChange.Cancel, Stop));
        Assert.Equal(0, await bed.CountAsync($"SELECT count(*) FROM queue WHERE domain_id = {domain}"));
        Assert.Equal(2100 - from, await bed.CountAsync("SELECT count(*) FROM queue"));
    }

    [Fact]
    public async Task All_that_an_account_has_unfinished_is_held_and_released_but_for_what_another_reason_stops()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var all = new List<long>();
        for (var n = 0; n < 3; n++) all.AddRange((await bed.SendAsync([.. Enumerable.Range(0, 700).Select(r => $"r{r}@m{n}.example.org")])).Recipients.Select(r => r.Id));
        var account = await bed.CountAsync("SELECT id FROM account WHERE name = 'acme'");

        Assert.Equal(0, await Changes(bed).ApplyToAccountAsync(account, RecipientChange.Hold, Stop));
        await bed.ExecuteAsync("UPDATE account SET suspended_at = now()");
        Assert.Equal(2100, await Changes(bed).ApplyToAccountAsync(account, RecipientChange.Hold, Stop));
        await bed.ExecuteAsync("UPDATE account SET suspended_at = NULL");
        Assert.Equal(2100, await bed.CountAsync("SELECT count(*) FROM queue q JOIN recipient r ON r.id = q.recipient_id WHERE q.held AND r.status = 2"));

        await bed.ExecuteAsync("UPDATE account SET paused_at = now()");
        Assert.Equal(0, await Changes(bed).ApplyToAccountAsync(account, RecipientChange.Release, Stop));
        await bed.ExecuteAsync("UPDATE account SET paused_at = NULL");
        Assert.Equal(2100, await Changes(bed).ApplyToAccountAsync(account, RecipientChange.Release, Stop));
        Assert.Equal(2100, await Changes(bed).ApplyToAccountAsync(account, RecipientChange.Cancel, Stop));
        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM queue"));
    }

    [Fact]
    public async Task What_is_accepted_just_after_a_suspension_is_held()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org");
        await bed.UntilAsync(await bed.SendAsync("first@example.org"), RecipientStatus.Delivered);

        var sent = await SendWhileKnownAsync(bed);

        Assert.Equal(RecipientStatus.Held, sent.Recipients.Single().Status);
        Assert.Equal([EventType.MessageAccepted, EventType.MessageHeld], (await bed.EventsAsync(sent.Recipients[0].Id)).Select(e => e.Type));
        Assert.Equal(0, bed.Node.Engine.Bytes);
    }

    // The sender is known for two seconds; the accept itself looks again. Where those two seconds were over, once more.
    private static async Task<SubmissionReceipt> SendWhileKnownAsync(DeliveryBed bed)
    {
        while (true)
        {
            await bed.ExecuteAsync("UPDATE domain SET suspended_at = now()");
            try
            {
                return await bed.SendAsync("jane@example.org");
            }
            catch (SenderStoppedException)
            {
                await bed.ExecuteAsync("UPDATE domain SET suspended_at = NULL");
                await bed.UntilAsync(await SendOnceKnownAgainAsync(bed), RecipientStatus.Delivered);
            }
        }
    }

    private static async Task<SubmissionReceipt> SendOnceKnownAgainAsync(DeliveryBed bed)
    {
        SubmissionReceipt? sent = null;
        await UntilAsync(async () =>
        {
            try
            {
                sent = await bed.SendAsync("first@example.org");
                return true;
            }
            catch (SenderStoppedException)
            {
                return false;
            }
        });
        return sent!;
    }

    private static RecipientChanges Changes(DeliveryBed bed) => bed.Node.Get<RecipientChanges>();

    private static Task<List<long>> ApplyAsync(DeliveryBed bed, RecipientChange change, params long[] recipients) => Changes(bed).ApplyAsync(recipients, change, null, null, Stop);
}
