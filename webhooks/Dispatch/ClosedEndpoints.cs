using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>The endpoints that have rows waiting.</summary>
/// <param name="Lanes">Each with the time from which it may be called.</param>
/// <param name="More">Whether endpoints that are not to be called have more rows than were ended in this round.</param>
internal readonly record struct WaitingEndpoints(IReadOnlyList<WaitingLane> Lanes, bool More);

/// <summary>
/// Looks who has rows waiting, and what holds back the endpoints among them: a pause, which all nodes keep; or that they were disabled or deleted, when their
/// rows end without a call. They end as failed, so that all of them can be replayed when the endpoint is back.
/// </summary>
internal sealed class ClosedEndpoints(NpgsqlDataSource database)
{
    /// <summary>The error of what ended because its endpoint was disabled.</summary>
    public const string Disabled = "The webhook is disabled.";

    /// <summary>The error of what ended because its endpoint was deleted.</summary>
    public const string Deleted = "The webhook was deleted.";

    // So that one endpoint's heap holds up the others for no more than a moment.
    private const int BatchSize = 1000;

    private const string HeldBack = """
        SELECT want.id, w.paused_until, w.id IS NULL OR w.disabled_at IS NOT NULL FROM unnest($1::bigint[]) AS want(id) LEFT JOIN webhook_endpoint w ON w.id = want.id
        WHERE w.id IS NULL OR w.disabled_at IS NOT NULL OR w.paused_until > $2
        """;

    // FOR SHARE waits for whoever just enables an endpoint, whose rows then stay. A test is posted to a disabled endpoint too.
    private static readonly string End = $"""
        WITH disabled AS (SELECT id FROM webhook_endpoint WHERE id = ANY ($1) AND disabled_at IS NOT NULL FOR SHARE),
        pick AS (
          SELECT q.delivery_id, EXISTS (SELECT FROM disabled WHERE id = q.endpoint_id) AS is_disabled
          FROM webhook_queue q JOIN webhook_delivery d ON d.id = q.delivery_id LEFT JOIN event e ON e.id = d.event_id
          WHERE q.endpoint_id = ANY ($1) AND q.session_id IS NULL AND NOT q.held
            AND (NOT EXISTS (SELECT FROM webhook_endpoint w WHERE w.id = q.endpoint_id)
              OR (q.endpoint_id IN (SELECT id FROM disabled) AND e.type IS DISTINCT FROM {(short)Migrations.Messages.EventType.WebhookTest}))
          LIMIT {BatchSize} FOR UPDATE OF q SKIP LOCKED),
        gone AS (DELETE FROM webhook_queue q USING pick WHERE q.delivery_id = pick.delivery_id RETURNING q.delivery_id, pick.is_disabled)
        UPDATE webhook_delivery d SET status = 2, error = CASE WHEN gone.is_disabled THEN '{Disabled}' ELSE '{Deleted}' END FROM gone WHERE d.id = gone.delivery_id
        """;

    /// <summary>Ends rows that are not to be posted, a batch at most, and tells who may be called when.</summary>
    public async Task<WaitingEndpoints> WaitingAsync(DateTimeOffset now, CancellationToken cancel)
    {
        var waiting = await LeasedQueue.Webhooks.WaitingAsync(database, cancel);
        if (waiting.Count == 0) return new(waiting, false);
        var (paused, closed) = await HeldBackAsync(waiting, now, cancel);
        var more = closed.Count > 0 && await EndAsync(closed, cancel) == BatchSize;
        return new(waiting.ConvertAll(w => paused.TryGetValue(w.LaneId, out var until) && until > w.DueAt ? w with { DueAt = until } : w), more);
    }

    private async Task<(Dictionary<long, DateTimeOffset> Paused, List<long> Closed)> HeldBackAsync(List<WaitingLane> waiting, DateTimeOffset now, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(HeldBack);
        command.Parameters.Add(new() { Value = waiting.Select(w => w.LaneId).ToArray() });
        command.Parameters.Add(new() { Value = now });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var (paused, closed) = (new Dictionary<long, DateTimeOffset>(), new List<long>());
        while (await reader.ReadAsync(cancel))
        {
            if (!reader.IsDBNull(1)) paused.Add(reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1));
            if (reader.GetBoolean(2)) closed.Add(reader.GetInt64(0));
        }
        return (paused, closed);
    }

    private Task<int> EndAsync(List<long> endpoints, CancellationToken cancel) => Deadlock.RetryAsync(
        async stop =>
        {
            await using var command = database.CreateCommand(End);
            command.Parameters.Add(new() { Value = endpoints.ToArray() });
            return await command.ExecuteNonQueryAsync(stop);
        },
        cancel);
}
