using MoxApi.Delivery.Queue;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>What happens between a message's accept and its delivery that makes it one not to be sent.</summary>
public class AdmissionTests(TestPostgres postgres)
{
    [Fact]
    public async Task An_address_that_was_suppressed_after_the_accept_is_not_sent_to()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org", "sam@example.org");
        await SuppressAsync(bed, "NULL");

        bed.Node.Deliver();
        await bed.UntilAsync(sent, r => r.Status is RecipientStatus.Delivered or RecipientStatus.Suppressed);

        var recipients = await bed.RecipientsAsync(sent);
        Assert.Equal([RecipientStatus.Suppressed, RecipientStatus.Delivered], recipients.Select(r => r.Status));
        Assert.Equal([EventType.MessageAccepted, EventType.MessageSuppressed], (await bed.EventsAsync(recipients[0].Id)).Select(e => e.Type));
        Assert.DoesNotContain(server.Transcript, l => l.Contains("jane@", StringComparison.Ordinal));
        Assert.Empty(await bed.AttemptsAsync(recipients[0].Id));
        await UntilAsync(() => Task.FromResult(bed.Node.Engine.Leased == 0));
    }

    [Fact]
    public async Task A_suppression_that_is_over_keeps_nobody_from_being_sent_to()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org");
        await SuppressAsync(bed, "now() - interval '1 second'");

        bed.Node.Deliver();

        await bed.UntilAsync(sent, RecipientStatus.Delivered);
    }

    [Fact]
    public async Task What_waited_long_in_memory_is_looked_up_again()
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxConnectionsPerDestination = 1, IdleConnection = TimeSpan.FromMilliseconds(200) });
        var gate = new TaskCompletionSource();
        var server = bed.AddDomain("example.org").On("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        var first = await bed.SendAsync("sam@example.org");
        await UntilAsync(() => Task.FromResult(server.Transcript.Any(l => l.StartsWith("C: MAIL", StringComparison.Ordinal))));
        var waits = await bed.SendAsync("jane@example.org");
        Assert.Equal(2, bed.Node.Engine.Leased);

        await SuppressAsync(bed, "NULL");
        bed.Node.Get<Admission>().Fresh = TimeSpan.Zero;
        gate.SetResult();
        await bed.UntilAsync(first, RecipientStatus.Delivered);
        await bed.UntilAsync(waits, RecipientStatus.Suppressed);

        Assert.Single(server.Messages);
        await UntilAsync(() => Task.FromResult(bed.Node.Engine is { Leased: 0, Bytes: 0 }));
    }

    [Theory]
    [InlineData("UPDATE account SET suspended_at = now()")]
    [InlineData("UPDATE account SET paused_at = now()")]
    [InlineData("UPDATE domain SET suspended_at = now()")]
    public async Task What_is_queued_for_a_sender_that_was_stopped_is_held(string stop)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org", "sam@example.org");
        await bed.ExecuteAsync(stop);

        bed.Node.Deliver();
        var recipients = await bed.UntilAsync(sent, RecipientStatus.Held);

        Assert.Equal([EventType.MessageAccepted, EventType.MessageHeld], (await bed.EventsAsync(recipients[0].Id)).Select(e => e.Type));
        Assert.Equal(2, await bed.CountAsync("SELECT count(*) FROM queue WHERE held AND session_id IS NULL"));
        Assert.Empty(server.Sessions);
        await UntilAsync(() => Task.FromResult(bed.Node.Engine.Leased == 0));
    }

    [Theory]
    [InlineData("UPDATE account SET suspended_at = now()")]
    [InlineData("UPDATE domain SET suspended_at = now()")]
    public async Task No_final_dot_is_sent_once_a_node_knows_of_a_suspension(string stop)
    {
        await using var bed = await MakeAsync(postgres);
        var gate = new TaskCompletionSource();
        var server = bed.AddDomain("example.org").On("data", ((Act)"354 Go on").After(gate.Task));
        var sent = await bed.SendAsync("jane@example.org");
        await UntilAsync(() => Task.FromResult(server.Transcript.Contains("C: DATA")));

        await bed.ExecuteAsync(stop);
        await using var context = bed.Open();
        var row = context.Messages.Single(m => m.Id == sent.MessageId);
        var message = new QueuedMessage(row.Id, row.AccountId, row.DomainId, row.AcceptedAt, null, null, row.RequireTls, false, default, 0, 0, null);
        await UntilAsync(() => Task.FromResult(bed.Node.Get<Admission>().IsKnownToBeStopped(message)));
        gate.SetResult();
        await bed.UntilAsync(sent, RecipientStatus.Held);

        Assert.Empty(server.Messages);
    }

    [Theory, InlineData("UPDATE account SET deleted_at = now()"), InlineData("DELETE FROM domain")]
    public async Task What_is_queued_for_a_sender_that_is_gone_is_canceled(string delete)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync(delete);

        bed.Node.Deliver();
        await bed.UntilAsync(sent, RecipientStatus.Canceled);

        Assert.Equal([EventType.MessageAccepted, EventType.MessageCanceled], (await bed.EventsAsync(sent.Recipients[0].Id)).Select(e => e.Type));
        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM queue"));
        Assert.Empty(server.Sessions);
    }

    [Fact]
    public async Task Whose_sender_was_let_go_on_meanwhile_is_not_held_but_goes_back_to_the_queue()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET session_id = {bed.Node.Session.Id}");

        await bed.Node.Get<Admission>().RefuseAsync(new([], [sent.Recipients[0].Id], []), bed.Node.Session.Id, Stop);

        Assert.Equal(RecipientStatus.Queued, (await bed.RecipientsAsync(sent)).Single().Status);
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NULL AND NOT held"));
    }

    [Fact]
    public async Task What_waited_until_its_signatures_were_no_longer_valid_is_not_sent()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var tooLate = await bed.SendAsync("jane@example.org");
        var last = await bed.SendAsync("sam@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET expires_at = now() - interval '25 hours' WHERE recipient_id = {tooLate.Recipients[0].Id}");
        await bed.ExecuteAsync($"UPDATE queue SET expires_at = now() - interval '23 hours' WHERE recipient_id = {last.Recipients[0].Id}");

        bed.Node.Deliver();
        await bed.UntilAsync(tooLate, RecipientStatus.Failed);
        await bed.UntilAsync(last, RecipientStatus.Delivered);

        var attempt = (await bed.AttemptsAsync(tooLate)).Single();
        Assert.Equal((0, "4.4.7", FailureClass.Expired, null), (attempt.SmtpCode, attempt.EnhancedCode, attempt.FailureClass, attempt.RemoteHost));
        Assert.Equal("RCPT TO:<sam@example.org>", server.Messages.Single().Rcpts.Single());
        Assert.DoesNotContain(server.Transcript, l => l.Contains("jane@", StringComparison.Ordinal));
    }

    private static Task SuppressAsync(DeliveryBed bed, string until) => bed.ExecuteAsync($"""
        INSERT INTO suppression (account_id, base_address, address, reason, failure_class, created_at, expires_at)
        SELECT account_id, base_address, address, 0, 0, now(), {until} FROM recipient WHERE address = 'jane@example.org' LIMIT 1
        """);
}
