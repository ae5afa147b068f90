using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Writing;
using MoxApi.Webhooks.Events;
using Npgsql;

namespace MoxApi.Webhooks.Endpoints;

/// <summary>What came of a replay.</summary>
public enum ReplayResult
{
    /// <summary>The account has no such webhook, or it no such delivery.</summary>
    NotFound,

    /// <summary>The webhook is disabled, so nothing was queued.</summary>
    Disabled,

    /// <summary>It is in the queue.</summary>
    Queued,
}

/// <summary>
/// Posts again what was posted before, or a test, through the queue. A replay keeps the event's id, by which receivers know what they have had, and gets all its
/// attempts anew.
/// </summary>
public sealed class WebhookReplays(NpgsqlDataSource database, IdBlocks blocks, NodeSession session, TimeProvider time)
{
    /// <summary>Deliveries that one statement of a replay queues.</summary>
    public const int BatchSize = 1000;

    // The queue's row first, as when an outcome is written, so that the two do not block each other. A row that waits for its next attempt is due now; one that is
    // being posted is left alone.
    private const string One = """
        WITH t AS (
          SELECT d.id, d.endpoint_id, w.disabled_at FROM webhook_delivery d JOIN webhook_endpoint w ON w.id = d.endpoint_id
          WHERE d.id = $3 AND w.id = $2 AND w.account_id = $1),
        q AS (
          INSERT INTO webhook_queue (delivery_id, endpoint_id, due_at, held, attempts, reclaims) SELECT id, endpoint_id, $4, false, 0, 0 FROM t WHERE disabled_at IS NULL
          ON CONFLICT (delivery_id) DO UPDATE SET due_at = least(webhook_queue.due_at, excluded.due_at), attempts = 0 WHERE webhook_queue.session_id IS NULL
          RETURNING delivery_id),
        d AS (UPDATE webhook_delivery d SET status = 0 FROM q WHERE d.id = q.delivery_id)
        SELECT disabled_at IS NOT NULL FROM t
        """;

    // Along the index of failures, from place to place: what fails again meanwhile is not met twice. Tests, and events that were deleted, have nothing to tell.
    private static readonly string Batch = $"""
        WITH f AS (
          SELECT d.id, d.created_at FROM webhook_delivery d JOIN event e ON e.id = d.event_id
          WHERE d.endpoint_id = $1 AND d.status = 2 AND d.created_at >= $2 AND (d.created_at, d.id) > ($2, $3) AND e.type <> {(short)EventType.WebhookTest}
          ORDER BY d.created_at, d.id LIMIT {BatchSize}),
        q AS (
          INSERT INTO webhook_queue (delivery_id, endpoint_id, due_at, held, attempts, reclaims)
          SELECT id, $1, $4, false, 0, 0 FROM f ORDER BY id ON CONFLICT DO NOTHING RETURNING delivery_id),
        d AS (UPDATE webhook_delivery d SET status = 0 FROM q WHERE d.id = q.delivery_id)
        SELECT created_at, id, (SELECT count(*) FROM f), (SELECT count(*) FROM q) FROM f ORDER BY created_at DESC, id DESC LIMIT 1
        """;

    private static readonly string Test = $"""
        WITH w AS (SELECT id, account_id, url, NULL::text AS reason FROM webhook_endpoint WHERE id = $2 AND account_id = $1),
        e AS (
          INSERT INTO event (id, account_id, type, at, sequence, detail)
          SELECT $3, account_id, {(short)EventType.WebhookTest}, $4, 0, {WebhookDetail.Sql} FROM w RETURNING id, at),
        d AS (
          INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at) SELECT w.id, e.id, 0, 0, e.at FROM e, w
          RETURNING id, endpoint_id, created_at)
        INSERT INTO webhook_queue (delivery_id, endpoint_id, due_at, held, attempts, reclaims)
        SELECT id, endpoint_id, created_at, false, 0, 0 FROM d RETURNING delivery_id
        """;

    /// <summary>Posts one delivery again, whatever became of it.</summary>
    public async Task<ReplayResult> ReplayAsync(long account, long webhook, long delivery, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        return await Deadlock.RetryAsync(OneAsync, cancel) switch
        {
            null => ReplayResult.NotFound,
            true => ReplayResult.Disabled,
            _ => Queued(),
        };

        async Task<object?> OneAsync(CancellationToken stop)
        {
            await using var command = Command(One, account, webhook, delivery, now);
            return await command.ExecuteScalarAsync(stop);
        }
    }

    /// <summary>Posts all deliveries again that failed and were made since a time. If it is ended early, the rest stays failed, and the same again goes on.</summary>
    /// <returns>How many were queued.</returns>
    public async Task<(ReplayResult Result, int Count)> ReplayFailedAsync(long account, long webhook, DateTimeOffset since, CancellationToken cancel)
    {
        await using var ask = Command("SELECT disabled_at IS NOT NULL FROM webhook_endpoint WHERE account_id = $1 AND id = $2", account, webhook);
        if (await ask.ExecuteScalarAsync(cancel) is not bool disabled) return (ReplayResult.NotFound, 0);
        if (disabled) return (ReplayResult.Disabled, 0);
        var (place, count, now) = ((At: since, Id: 0L), 0, time.GetUtcNow());
        while (await Deadlock.RetryAsync(BatchAsync, cancel) is { } batch)
        {
            place = batch.Last;
            count += batch.Queued;
            Queued();
            if (batch.Found < BatchSize) break;
        }
        return (ReplayResult.Queued, count);

        async Task<((DateTimeOffset, long) Last, long Found, int Queued)?> BatchAsync(CancellationToken stop)
        {
            await using var command = Command(Batch, webhook, place.At, place.Id, now);
            await using var reader = await command.ExecuteReaderAsync(stop);
            return await reader.ReadAsync(stop) ? ((reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1)), reader.GetInt64(2), (int)reader.GetInt64(3)) : null;
        }
    }

    /// <summary>Posts a test, to a disabled webhook as well, once. Returns the delivery's id; null where the account has no such webhook.</summary>
    public async Task<long?> TestAsync(long account, long webhook, CancellationToken cancel)
    {
        await using var command = Command(Test, account, webhook, await blocks.ReserveAsync(1, cancel), time.GetUtcNow());
        if (await command.ExecuteScalarAsync(cancel) is not long delivery) return null;
        Queued();
        return delivery;
    }

    private ReplayResult Queued()
    {
        session.Wake(Roles.Webhooks);
        return ReplayResult.Queued;
    }

    private NpgsqlCommand Command(string statement, params ReadOnlySpan<object> values)
    {
        var command = database.CreateCommand(statement);
        foreach (var value in values) command.Parameters.Add(new() { Value = value });
        return command;
    }
}
