using Microsoft.Extensions.Time.Testing;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Retention;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Retention;

public class RetentionTests(TestPostgres postgres) : IAsyncLifetime
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
    private readonly Dictionary<string, int> deleted = [];
    private Installation installation = null!;
    private StoredMail mail = null!;
    private long acme;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        mail = new StoredMail(installation);
        acme = await mail.CountAsync("SELECT id FROM account");
    }

    public async ValueTask DisposeAsync()
    {
        if (TestContext.Current.TestState?.Result != TestResult.Failed) await installation.AssertBooksBalanceAsync();
        await installation.DisposeAsync();
    }

    [Theory, InlineData(100), InlineData(20_000)]
    public async Task Octets_and_conversations_go_after_seven_days_and_what_became_of_whom_stays(int bodySize)
    {
        var old = await mail.MessageAsync(acme, Ago(8), bodySize: bodySize, statuses: [RecipientStatus.Delivered, RecipientStatus.Failed]);
        var young = await mail.MessageAsync(acme, Ago(6), bodySize: bodySize, statuses: RecipientStatus.Delivered);

        await RunAsync();

        await using var context = installation.Open();
        var (gone, kept) = (await context.Messages.FindAsync(old), await context.Messages.FindAsync(young));
        Assert.Empty(gone!.Header);
        Assert.InRange(gone.ContentDeletedAt!.Value, Ago(0.1), time.GetUtcNow());
        Assert.NotEmpty(kept!.Header);
        Assert.Null(kept.ContentDeletedAt);
        Assert.Equal([kept.BodyId], context.Bodies.Select(b => b.Id));
        Assert.All(context.BodyChunks, chunk => Assert.Equal(kept.BodyId, chunk.BodyId));
        Assert.Equal(["[]", "[]"], context.Attempts.Where(a => a.MessageId == old).Select(a => a.Conversation));
        Assert.DoesNotContain("[]", context.Attempts.Where(a => a.MessageId == young).Select(a => a.Conversation));
        Assert.Equal((3, 6), (context.Recipients.Count(), context.Events.Count()));
        Assert.Equal(1, deleted["content"]);
    }

    [Fact]
    public async Task Days_count_from_the_last_event()
    {
        var message = await mail.MessageAsync(acme, Ago(40), lastEventAt: Ago(5), statuses: RecipientStatus.Delivered);
        await RunAsync();
        Assert.Equal(1, await mail.CountAsync($"SELECT count(*) FROM message WHERE id = {message} AND content_deleted_at IS NULL"));
    }

    [Theory]
    [InlineData(RecipientStatus.Queued)]
    [InlineData(RecipientStatus.Scheduled)]
    [InlineData(RecipientStatus.Held)]
    [InlineData(RecipientStatus.Delayed)]
    public async Task What_is_not_finished_is_kept_for_ever(RecipientStatus status)
    {
        var message = await mail.MessageAsync(acme, Ago(1000), statuses: [RecipientStatus.Delivered, status]);
        await RunAsync();
        Assert.Equal(1, await mail.CountAsync($"SELECT count(*) FROM message WHERE id = {message} AND content_deleted_at IS NULL AND length(header) > 0"));
        Assert.Equal(2, await mail.CountAsync("SELECT count(*) FROM recipient"));
    }

    [Fact]
    public async Task A_message_goes_after_thirty_days_with_all_that_belongs_to_it()
    {
        var endpoint = await mail.EndpointAsync(acme);
        var statuses = new[] { RecipientStatus.Delivered, RecipientStatus.Failed, RecipientStatus.Suppressed, RecipientStatus.Canceled };
        await mail.MessageAsync(acme, Ago(31), bodySize: 20_000, statuses: statuses);
        foreach (var status in statuses) await mail.MessageAsync(acme, Ago(31), statuses: status);
        var eventId = await mail.CountAsync("SELECT min(id) FROM event");
        await mail.DeliveryAsync(endpoint, eventId, Ago(1), WebhookDeliveryStatus.Delivered);
        var kept = await mail.MessageAsync(acme, Ago(29), statuses: statuses);

        await RunAsync();

        Assert.Equal(kept, await mail.CountAsync("SELECT sum(id)::bigint FROM message"));
        Assert.Equal(4, await mail.CountAsync($"SELECT count(*) FROM recipient WHERE message_id = {kept}"));
        foreach (var table in new[] { "recipient", "attempt", "event" }) Assert.Equal(0, await mail.CountAsync($"SELECT count(*) FROM {table} WHERE message_id <> {kept}"));
        foreach (var table in new[] { "body", "body_chunk", "webhook_delivery" }) Assert.Equal(0, await mail.CountAsync($"SELECT count(*) FROM {table}"));
        Assert.Equal(5, deleted["message"]);
    }

    [Fact]
    public async Task A_message_whose_event_is_still_to_be_posted_stays()
    {
        var endpoint = await mail.EndpointAsync(acme);
        await mail.MessageAsync(acme, Ago(31), statuses: RecipientStatus.Delivered);
        await mail.DeliveryAsync(endpoint, await mail.CountAsync("SELECT min(id) FROM event"), Ago(1), WebhookDeliveryStatus.Pending);
        await RunAsync();
        Assert.Equal((1, 1), (await mail.CountAsync("SELECT count(*) FROM message"), await mail.CountAsync("SELECT count(*) FROM webhook_queue")));
    }

    [Fact]
    public async Task An_accounts_own_days_come_first()
    {
        var brief = await mail.AccountAsync("brief", a => (a.KeepContentDays, a.KeepMessageDays) = (0, 2));
        var thorough = await mail.AccountAsync("thorough", a => (a.KeepContentDays, a.KeepMessageDays) = (1000, 1000));
        var just = await mail.MessageAsync(brief, Ago(0.001), statuses: RecipientStatus.Delivered);
        await mail.MessageAsync(brief, Ago(3), statuses: RecipientStatus.Delivered);
        var kept = await mail.MessageAsync(thorough, Ago(900), statuses: RecipientStatus.Delivered);

        await RunAsync();

        Assert.Equal(1, await mail.CountAsync($"SELECT count(*) FROM message WHERE id = {just} AND content_deleted_at IS NOT NULL"));
        Assert.Equal(1, await mail.CountAsync($"SELECT count(*) FROM message WHERE id = {kept} AND content_deleted_at IS NULL"));
        Assert.Equal(2, await mail.CountAsync("SELECT count(*) FROM message"));
    }

    [Fact]
    public async Task Received_mail_is_not_touched()
    {
        await mail.ReceivedAsync(Ago(1000), acme);
        await RunAsync();
        Assert.Equal(1, await mail.CountAsync("SELECT count(*) FROM message m JOIN mailbox_message b ON b.message_id = m.id JOIN body ON body.id = m.body_id WHERE length(m.header) > 0"));
    }

    [Fact]
    public async Task Received_mail_in_no_mailbox_keeps_the_octets_that_others_may_share()
    {
        var received = await mail.ReceivedAsync(Ago(1000), acme, acme);
        await mail.ExecuteAsync($"DELETE FROM mailbox_message WHERE message_id = {received[0]}");
        await RunAsync();
        Assert.Equal((2, 1), (await mail.CountAsync("SELECT count(*) FROM message WHERE content_deleted_at IS NULL"), await mail.CountAsync("SELECT count(*) FROM body")));
    }

    [Fact]
    public async Task What_was_sent_stays_while_it_is_in_a_mailbox_too()
    {
        var sent = await mail.MessageAsync(acme, Ago(1000), statuses: RecipientStatus.Delivered);
        await mail.ReceivedAsync(Ago(1000), acme);
        await mail.ExecuteAsync($"UPDATE mailbox_message SET message_id = {sent}");
        await RunAsync();
        Assert.Equal(1, await mail.CountAsync($"SELECT count(*) FROM message m JOIN body b ON b.id = m.body_id WHERE m.id = {sent} AND m.content_deleted_at IS NULL"));
    }

    [Fact]
    public async Task Finished_webhook_deliveries_go_after_seven_days()
    {
        var endpoint = await mail.EndpointAsync(acme);
        var eventId = await mail.EventAsync(acme, EventType.WebhookTest, Ago(9));
        await mail.DeliveryAsync(endpoint, eventId, Ago(9), WebhookDeliveryStatus.Delivered, Ago(9));
        var tried = await mail.DeliveryAsync(endpoint, eventId, Ago(9), WebhookDeliveryStatus.Failed, Ago(6));
        var pending = await mail.DeliveryAsync(endpoint, eventId, Ago(9), WebhookDeliveryStatus.Pending);
        await mail.DeliveryAsync(endpoint, eventId, Ago(8), WebhookDeliveryStatus.Failed, Ago(8));
        var young = await mail.DeliveryAsync(endpoint, eventId, Ago(6), WebhookDeliveryStatus.Delivered, Ago(6));

        await RunAsync();

        await using var context = installation.Open();
        Assert.Equal([tried, pending, young], context.WebhookDeliveries.OrderBy(d => d.Id).Select(d => d.Id));
        Assert.Equal(2, deleted["webhook_delivery"]);
    }

    [Fact]
    public async Task What_a_disabled_or_deleted_endpoint_was_to_get_goes_too()
    {
        var disabled = await mail.EndpointAsync(acme, w => w.DisabledAt = Ago(20));
        var eventId = await mail.EventAsync(acme, EventType.WebhookTest, Ago(9));
        await mail.DeliveryAsync(disabled, eventId, Ago(8), WebhookDeliveryStatus.Pending);
        var replayable = await mail.DeliveryAsync(disabled, eventId, Ago(6), WebhookDeliveryStatus.Pending);
        await mail.DeliveryAsync(4711, eventId, Ago(1), WebhookDeliveryStatus.Delivered);

        await RunAsync();

        await using var context = installation.Open();
        Assert.Equal([replayable], context.WebhookDeliveries.Select(d => d.Id));
        Assert.Equal([replayable], context.WebhookQueue.Select(q => q.DeliveryId));
    }

    [Fact]
    public async Task Events_about_no_message_go_after_thirty_days()
    {
        await mail.EventAsync(acme, EventType.AccountPaused, Ago(31));
        var kept = await mail.EventAsync(acme, EventType.AccountPaused, Ago(29));
        await RunAsync();
        Assert.Equal(kept, await mail.CountAsync("SELECT sum(id)::bigint FROM event"));
    }

    [Fact]
    public async Task An_event_about_no_message_that_is_still_to_be_posted_stays()
    {
        var waiting = await mail.EventAsync(acme, EventType.AccountPaused, Ago(31));
        await mail.DeliveryAsync(await mail.EndpointAsync(acme), waiting, Ago(31), WebhookDeliveryStatus.Pending);
        await RunAsync();
        Assert.Equal(waiting, await mail.CountAsync("SELECT sum(id)::bigint FROM event"));
    }

    [Fact]
    public async Task An_accounts_own_days_of_webhook_deliveries_come_first()
    {
        var thorough = await mail.EndpointAsync(await mail.AccountAsync("thorough", a => a.KeepWebhookDays = 1000));
        var brief = await mail.EndpointAsync(await mail.AccountAsync("brief", a => a.KeepWebhookDays = 1));
        var happened = await mail.EventAsync(acme, EventType.AccountPaused, Ago(1));
        var kept = await mail.DeliveryAsync(thorough, happened, Ago(900), WebhookDeliveryStatus.Delivered);
        await mail.DeliveryAsync(brief, happened, Ago(2), WebhookDeliveryStatus.Delivered);
        await RunAsync();
        Assert.Equal(kept, await mail.CountAsync("SELECT sum(id)::bigint FROM webhook_delivery"));
    }

    [Fact]
    public async Task A_thousand_at_a_time_all_of_them_go()
    {
        await mail.ExecuteAsync($"""
            INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata, accepted_at, require_tls, needs_smtp_utf8, is_test)
              SELECT n, {acme}, 0, '', '', '', 10, 'x', n, ARRAY[]::text[], jsonb_build_object(), '{Ago(40):O}'::timestamptz + (n / 100) * interval '1 second', 0, false, false FROM generate_series(1, 2500) n;
            INSERT INTO body (id, size, "inline") SELECT n, 1, 'x' FROM generate_series(1, 2500) n;
            INSERT INTO recipient (id, message_id, account_id, lane_id, address, base_address, accepted_at, kind, status, event_sequence, attempts)
              SELECT n, n, {acme}, 1, '', '', '{Ago(40):O}'::timestamptz + (n / 100) * interval '1 second', 0, 4, 1, 0 FROM generate_series(1, 2500) n;
            INSERT INTO event (id, account_id, type, at, message_id, recipient_id, sequence) SELECT n, {acme}, 3, '{Ago(40):O}', n, n, 1 FROM generate_series(1, 2500) n;
            """);

        await RunAsync();

        Assert.Equal((2500, 2500), (deleted["content"], deleted["message"]));
        foreach (var table in new[] { "message", "recipient", "event", "body" }) Assert.Equal(0, await mail.CountAsync($"SELECT count(*) FROM {table}"));
    }

    [Fact]
    public async Task One_node_at_a_time_does_it()
    {
        await mail.MessageAsync(acme, Ago(40), statuses: RecipientStatus.Delivered);
        await using (var other = await mail.Database.OpenConnectionAsync(TestContext.Current.CancellationToken))
        {
            await using var take = new NpgsqlCommand("SELECT pg_advisory_lock(hashtextextended('moxapi:retention', 0))", other);
            await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
            await RunAsync();
            Assert.Equal(1, await mail.CountAsync("SELECT count(*) FROM message"));
            take.CommandText = "SELECT pg_advisory_unlock_all()";
            await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
        await RunAsync();
        Assert.Equal(0, await mail.CountAsync("SELECT count(*) FROM message"));
    }

    [Fact]
    public async Task Bodies_that_belong_to_no_message_are_swept()
    {
        await mail.MessageAsync(acme, Ago(1), statuses: RecipientStatus.Delivered);
        await mail.ReceivedAsync(Ago(1), acme);
        await mail.ExecuteAsync("INSERT INTO body (id, size) VALUES (5, 10); INSERT INTO body_chunk (body_id, number, bytes) VALUES (5, 0, 'x')");

        Assert.Equal(1, await SweepAsync());
        Assert.Equal((2, 0), (await mail.CountAsync("SELECT count(*) FROM body"), await mail.CountAsync("SELECT count(*) FROM body_chunk")));
    }

    [Fact]
    public async Task A_deleted_account_loses_everything_and_others_nothing()
    {
        var left = await mail.AccountAsync("left", a => a.DeletedAt = Ago(1));
        var leaving = await mail.AccountAsync("leaving", a => a.DeletedAt = time.GetUtcNow());
        foreach (var account in new[] { acme, left, leaving })
        {
            await mail.MessageAsync(account, Ago(1), statuses: [RecipientStatus.Delivered, RecipientStatus.Queued]);
            await mail.DeliveryAsync(await mail.EndpointAsync(account), await mail.EventAsync(account, EventType.AccountPaused, Ago(1)), Ago(1), WebhookDeliveryStatus.Pending);
            await mail.ExecuteAsync($"""
                INSERT INTO suppression (account_id, base_address, address, reason, failure_class, created_at) VALUES ({account}, 'a@b.example', 'a@b.example', 0, 0, now());
                INSERT INTO idempotent_answer (account_id, key, fingerprint, answer, created_at) VALUES ({account}, 'k', 'x', '', now());
                """);
        }
        await mail.ReceivedAsync(Ago(1), left, acme);
        await mail.ReceivedAsync(Ago(1), left);

        await RunAsync();

        foreach (var table in new[] { "message", "recipient", "event", "suppression", "idempotent_answer", "webhook_endpoint", "mailbox", "mailbox_message" })
        {
            Assert.Equal(0, await mail.CountAsync($"SELECT count(*) FROM {table} WHERE account_id = {left}"));
            Assert.NotEqual(0, await mail.CountAsync($"SELECT count(*) FROM {table} WHERE account_id = {acme}"));
        }
        Assert.Equal(0, await mail.CountAsync($"SELECT count(*) FROM account WHERE id = {left}"));
        Assert.Equal((2, 2), (await mail.CountAsync("SELECT count(*) FROM queue"), await mail.CountAsync("SELECT count(*) FROM webhook_queue")));
        // Two of messages sent, one that was received together; the other one is for the sweep.
        Assert.Equal(4, await mail.CountAsync("SELECT count(*) FROM body"));
        Assert.Equal(1, await SweepAsync());
    }

    [Theory]
    [InlineData("queue", "recipient", "SELECT recipient_id FROM queue")]
    [InlineData("webhook_queue", "webhook_delivery", "SELECT delivery_id FROM webhook_queue")]
    public async Task A_row_of_a_queue_is_locked_ahead_of_what_it_is_about_as_all_others_do(string queue, string about, string ids)
    {
        var left = await mail.AccountAsync("left", a => a.DeletedAt = Ago(1));
        await mail.MessageAsync(left, Ago(1), statuses: RecipientStatus.Queued);
        await mail.DeliveryAsync(await mail.EndpointAsync(left), await mail.EventAsync(left, EventType.AccountPaused, Ago(1)), Ago(1), WebhookDeliveryStatus.Pending);
        await using var connection = await mail.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var worker = await connection.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await ExecuteAsync($"SELECT FROM {queue} FOR UPDATE");

        var run = RunAsync();
        await Eventually.HoldsAsync(async () => await mail.CountAsync("SELECT count(*) FROM pg_locks WHERE NOT granted") > 0, "retention to wait for the worker");
        await ExecuteAsync($"SELECT FROM {about} WHERE id IN ({ids}) FOR UPDATE NOWAIT");
        await worker.CommitAsync(TestContext.Current.CancellationToken);
        await run;

        Assert.Equal(0, await mail.CountAsync($"SELECT count(*) FROM account WHERE id = {left}"));

        async Task ExecuteAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection, worker);
            await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }
    }

    [Fact]
    public async Task A_statement_that_meets_others_in_a_deadlock_is_run_again()
    {
        await mail.ExecuteAsync("""
            CREATE SEQUENCE meeting;
            CREATE FUNCTION meet(deadlocks bigint) RETURNS bigint LANGUAGE plpgsql AS $$
              DECLARE n bigint := nextval('meeting');
              BEGIN
                IF n <= deadlocks THEN RAISE EXCEPTION USING ERRCODE = 'deadlock_detected'; END IF;
                RETURN n;
              END $$;
            """);
        var batches = new Batches(mail.Database, time);

        var run = batches.RunAsync("SELECT meet($1)", row => row.GetInt64(0), TestContext.Current.CancellationToken, 2L);
        await time.AdvanceUntilAsync(run, TimeSpan.FromMilliseconds(20));
        Assert.Equal(3, await run);

        var endless = batches.RunAsync("SELECT meet($1)", row => row.GetInt64(0), TestContext.Current.CancellationToken, 1000L);
        await time.AdvanceUntilAsync(endless, TimeSpan.FromMilliseconds(20));
        await Assert.ThrowsAsync<PostgresException>(() => endless);
    }

    [Theory, MemberData(nameof(Statements))]
    public async Task Nothing_is_searched_for_without_an_index(string statement, object[] parameters)
    {
        await using var connection = await mail.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using (var hint = new NpgsqlCommand("SET enable_seqscan = off", connection)) await hint.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var explain = new NpgsqlCommand($"EXPLAIN {statement}", connection);
        foreach (var value in parameters) explain.Parameters.Add(new() { Value = value });
        var plan = new List<string>();
        await using (var reader = await explain.ExecuteReaderAsync(TestContext.Current.CancellationToken))
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) plan.Add(reader.GetString(0));
        }
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan", StringComparison.Ordinal));
    }

    public static TheoryData<string, object[]> Statements => new()
    {
        { OldContent.Statement, [1L, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 0L, DateTimeOffset.UnixEpoch] },
        { OldMessages.OfStatus, [1L, DateTimeOffset.UnixEpoch, DateTimeOffset.UnixEpoch, 0L, (short)4] },
        { OldMessages.OfAccount, [1L] },
        { OldEvents.Statement, [1L, DateTimeOffset.UnixEpoch] },
        { OldDeliveries.Statement, [1L, DateTimeOffset.UnixEpoch, 0L, false] },
    };

    private DateTimeOffset Ago(double days) => time.GetUtcNow() - TimeSpan.FromDays(days);

    private RetentionRun Retention() => new(mail.Database, new RetentionOptions(), time);

    private async Task<int> SweepAsync()
    {
        var sweep = Retention().SweepBodiesAsync(TestContext.Current.CancellationToken);
        await time.AdvanceUntilAsync(sweep, TimeSpan.FromMilliseconds(20));
        return await sweep;
    }

    private async Task RunAsync()
    {
        var run = Retention().RunAsync((kind, count) => deleted[kind] = deleted.GetValueOrDefault(kind) + count, TestContext.Current.CancellationToken);
        await time.AdvanceUntilAsync(run, TimeSpan.FromMilliseconds(20));
        await run;
    }
}
