using System.Text.Json.Nodes;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Pausing;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;
using Installation = MoxApi.Tests.Hosting.Installation;

namespace MoxApi.Tests.Migrations.Pausing;

public class PauseWatchTests(TestPostgres postgres) : IAsyncLifetime
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 22, 10, 2, 0, TimeSpan.Zero));
    private Installation installation = null!;
    private StoredMail mail = null!;
    private IdBlocks ids = null!;
    private NodeSession session = null!;
    private PauseWatch watch = null!;
    private long acme;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        mail = new StoredMail(installation);
        ids = new IdBlocks(mail.Database);
        session = new NodeSession(mail.Database, "test", [], new LeaseTimes(), time, NullLogger<NodeSession>.Instance);
        watch = NewWatch();
        acme = await mail.CountAsync("SELECT id FROM account");
    }

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result != TestResult.Failed) await installation.AssertBooksBalanceAsync();
        watch.Dispose();
        await session.DisposeAsync();
        ids.Dispose();
        await installation.DisposeAsync();
    }

    [Fact]
    public async Task Five_percent_of_bounces_pause_with_an_event_that_is_posted_and_hold_what_is_queued()
    {
        await mail.EndpointAsync(acme);
        await SendAsync(delivered: 95, failed: 5);
        await mail.MessageAsync(acme, time.GetUtcNow(), statuses: [RecipientStatus.Queued, RecipientStatus.Delayed]);

        Assert.Equal(1, await RunAsync());

        await using var context = installation.Open();
        var account = context.Accounts.Single();
        Assert.Equal(time.GetUtcNow(), account.PausedAt);
        Assert.Equal("Of the 100 recipients of the last 24 hours 5 bounced, for their addresses are of no use; the limit is 5 %.", account.PauseReason);
        var paused = context.Events.Single(e => e.Type == EventType.AccountPaused);
        Assert.Equal((100, 5, 5), (Number(paused, "finished"), Number(paused, "bounced"), Number(paused, "limitPercent")));
        Assert.Equal(1, context.WebhookDeliveries.Count(d => d.EventId == paused.Id && context.WebhookQueue.Any(q => q.DeliveryId == d.Id)));
        Assert.Equal((2, 2), (context.Queue.Count(q => q.Held), context.Events.Count(e => e.Type == EventType.MessageHeld)));
        Assert.Equal(0, await RunAsync());
    }

    [Theory]
    [InlineData(96, 4, "less than 5 %")]
    [InlineData(94, 5, "99 recipients")]
    public async Task Less_pauses_nobody(int delivered, int failed, string why)
    {
        await SendAsync(delivered, failed);
        Assert.Equal(0, await RunAsync());
        Assert.True(!await IsPausedAsync(acme), why);
    }

    [Theory]
    [InlineData(FailureClass.MailboxNotFound, true)]
    [InlineData(FailureClass.MailboxDisabled, true)]
    [InlineData(FailureClass.DomainNotFound, true)]
    [InlineData(FailureClass.MailboxFull, false)]
    [InlineData(FailureClass.Policy, false)]
    [InlineData(FailureClass.Spam, false)]
    [InlineData(FailureClass.Network, false)]
    [InlineData(FailureClass.Expired, false)]
    public async Task Only_failures_that_say_that_an_address_is_of_no_use_are_bounces(FailureClass failure, bool paused)
    {
        await mail.MessageAsync(acme, time.GetUtcNow(), failure: failure, statuses: [.. Enumerable.Repeat(RecipientStatus.Failed, 100)]);
        await RunAsync();
        Assert.Equal(paused, await IsPausedAsync(acme));
    }

    [Fact]
    public async Task An_address_that_was_put_off_until_the_end_is_no_bounce()
    {
        await mail.MessageAsync(acme, time.GetUtcNow(), failure: FailureClass.MailboxNotFound, statuses: [.. Enumerable.Repeat(RecipientStatus.Failed, 100)]);
        await mail.ExecuteAsync("UPDATE attempt SET smtp_code = 450");
        await RunAsync();
        Assert.False(await IsPausedAsync(acme));
    }

    [Fact]
    public async Task A_tenth_of_a_percent_of_complaints_pauses_but_not_fewer_than_five()
    {
        var message = await SendAsync(delivered: 1000, failed: 0);
        for (var n = 0; n < 4; n++) await mail.EventAsync(acme, EventType.MessageComplained, time.GetUtcNow(), message);
        Assert.Equal(0, await RunAsync());

        await mail.EventAsync(acme, EventType.MessageComplained, time.GetUtcNow(), message);
        Assert.Equal(1, await RunAsync());
        await mail.ExecuteAsync("DELETE FROM event WHERE type = 12"); // Of no recipient, which the books would miss.
    }

    [Fact]
    public async Task What_is_older_than_the_window_does_not_count()
    {
        await SendAsync(delivered: 95, failed: 5, at: time.GetUtcNow() - TimeSpan.FromHours(25));
        Assert.Equal(0, await RunAsync());

        // And what the watch saw grows old.
        await SendAsync(delivered: 0, failed: 99);
        Assert.Equal(0, await RunAsync());
        time.Advance(TimeSpan.FromHours(25));
        await SendAsync(delivered: 50, failed: 0);
        Assert.Equal(0, await RunAsync());
    }

    [Fact]
    public async Task An_accounts_own_limits_come_first()
    {
        var careless = await mail.AccountAsync("careless", a => a.PauseBouncePercent = 100);
        var strict = await mail.AccountAsync("strict", a => a.PauseBouncePercent = 1);
        await SendAsync(delivered: 0, failed: 200, account: careless);
        await SendAsync(delivered: 195, failed: 5, account: strict);
        await SendAsync(delivered: 195, failed: 5);

        Assert.Equal(1, await RunAsync());

        Assert.Equal((false, true, false), (await IsPausedAsync(careless), await IsPausedAsync(strict), await IsPausedAsync(acme)));
    }

    [Fact]
    public async Task Who_was_let_go_on_is_judged_by_what_came_after()
    {
        await SendAsync(delivered: 0, failed: 100);
        Assert.Equal(1, await RunAsync());
        time.Advance(TimeSpan.FromMinutes(30));
        await mail.ExecuteAsync("UPDATE account SET paused_at = NULL, pause_reason = NULL");

        Assert.Equal(0, await RunAsync());
        await SendAsync(delivered: 0, failed: 99);
        Assert.Equal(0, await RunAsync());
        await SendAsync(delivered: 0, failed: 1);
        Assert.Equal(1, await RunAsync());
    }

    [Fact]
    public async Task What_comes_back_to_the_queue_of_a_paused_account_is_held_too()
    {
        await SendAsync(delivered: 0, failed: 100);
        await RunAsync();
        await mail.MessageAsync(acme, time.GetUtcNow(), statuses: RecipientStatus.Delayed);

        await RunAsync();

        Assert.Equal(1, await mail.CountAsync("SELECT count(*) FROM queue WHERE held"));
    }

    [Fact]
    public async Task Events_that_are_committed_a_little_late_count_and_settled_ones_are_not_read_again()
    {
        await SendAsync(delivered: 0, failed: 60);
        await RunAsync();
        time.Advance(TimeSpan.FromMinutes(20));
        await RunAsync();

        await mail.ExecuteAsync("DELETE FROM event; DELETE FROM attempt; DELETE FROM recipient; DELETE FROM message");
        await SendAsync(delivered: 0, failed: 40, at: time.GetUtcNow() - TimeSpan.FromMinutes(9));

        Assert.Equal(1, await RunAsync());
    }

    [Fact]
    public async Task A_node_that_looks_for_the_first_time_sees_the_whole_window()
    {
        await SendAsync(delivered: 0, failed: 50, at: time.GetUtcNow() - TimeSpan.FromHours(23));
        await SendAsync(delivered: 0, failed: 50);
        using var other = NewWatch();
        Assert.Equal(1, await other.RunAsync(TestContext.Current.CancellationToken));
    }

    [Fact]
    public async Task Outcomes_are_found_by_the_index_over_time()
    {
        await using var connection = await mail.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (var hint = new NpgsqlCommand("SET enable_seqscan = off", connection)) await hint.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var explain = new NpgsqlCommand($"EXPLAIN {OutcomeHistory.Statement}", connection) { Parameters = { new() { Value = time.GetUtcNow() }, new() { Value = time.GetUtcNow() } } };
        var plan = new List<string>();
        await using (var reader = await explain.ExecuteReaderAsync(TestContext.Current.CancellationToken))
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) plan.Add(reader.GetString(0));
        }
        Assert.Contains(plan, line => line.Contains("ix_event_at", StringComparison.Ordinal));
        Assert.Contains(plan, line => line.Contains("pk_attempt", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Many_bounces_within_the_limit_do_not_make_one_complaint_a_reason()
    {
        var message = await SendAsync(delivered: 950, failed: 40);
        await mail.EventAsync(acme, EventType.MessageComplained, time.GetUtcNow(), message);

        Assert.Equal(0, await RunAsync());
        await mail.ExecuteAsync("DELETE FROM event WHERE type = 12"); // Of no recipient, which the books would miss.
    }

    [Fact]
    public async Task What_test_keys_send_does_not_make_a_share_small()
    {
        await SendAsync(delivered: 2000, failed: 0);
        await mail.ExecuteAsync("UPDATE message SET is_test = true; UPDATE event SET attempt_id = NULL; DELETE FROM attempt; UPDATE recipient SET attempts = 0");
        await SendAsync(delivered: 60, failed: 40);

        Assert.Equal(1, await RunAsync());
    }

    private PauseWatch NewWatch() => new(mail.Database, new PauseOptions(), ids, new RecipientChanges(mail.Database, ids, time), session, time, NullLogger<PauseWatch>.Instance);

    private Task<int> RunAsync() => watch.RunAsync(TestContext.Current.CancellationToken);

    private Task<long> SendAsync(int delivered, int failed, DateTimeOffset? at = null, long? account = null) => mail.MessageAsync(
        account ?? acme, at ?? time.GetUtcNow(), statuses: [.. Enumerable.Repeat(RecipientStatus.Delivered, delivered), .. Enumerable.Repeat(RecipientStatus.Failed, failed)]);

    private async Task<bool> IsPausedAsync(long account) => await mail.CountAsync($"SELECT count(*) FROM account WHERE id = {account} AND paused_at IS NOT NULL") == 1;

    private static int Number(Event @event, string name) => JsonNode.Parse(@event.Detail!)![name]!.GetValue<int>();
}
