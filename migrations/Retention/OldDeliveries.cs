using Npgsql;

namespace MoxApi.Migrations.Retention;

/// <summary>Deletes old webhook deliveries, endpoint by endpoint. What is still to be posted stays, unless its endpoint was disabled or is gone.</summary>
internal sealed class OldDeliveries(NpgsqlDataSource database, Batches batches)
{
    // Ids grow with time, so a page that is all younger ends the walk. Who posts locks the queue's row ahead of the delivery, so this does too.
    internal const string Statement = """
        WITH page AS MATERIALIZED (
          SELECT id, status, created_at, last_attempt_at FROM webhook_delivery WHERE endpoint_id = $1 AND id > $3 ORDER BY id LIMIT 1000),
        due AS MATERIALIZED (SELECT id FROM page WHERE coalesce(last_attempt_at, created_at) < $2 AND (status <> 0 OR $4)),
        queued AS MATERIALIZED (SELECT 1 FROM due JOIN webhook_queue q ON q.delivery_id = due.id ORDER BY q.delivery_id FOR UPDATE OF q),
        gone AS (DELETE FROM webhook_delivery d USING due WHERE d.id = due.id AND (SELECT count(*) FROM queued) >= 0 RETURNING d.id),
        q AS (DELETE FROM webhook_queue q USING gone WHERE q.delivery_id = gone.id)
        SELECT (SELECT count(*) FROM gone), max(id), coalesce(min(created_at) < $2, false) FROM page
        """;

    // A skip scan: one probe of the index for each endpoint that has deliveries, also those that were deleted.
    private const string Endpoints = """
        WITH RECURSIVE known AS (
          (SELECT endpoint_id AS id FROM webhook_delivery ORDER BY endpoint_id LIMIT 1)
          UNION ALL
          SELECT (SELECT endpoint_id FROM webhook_delivery WHERE endpoint_id > known.id ORDER BY endpoint_id LIMIT 1) FROM known WHERE known.id IS NOT NULL)
        SELECT known.id, w.id IS NULL, w.disabled_at IS NOT NULL, a.keep_webhook_days
        FROM known LEFT JOIN webhook_endpoint w ON w.id = known.id LEFT JOIN account a ON a.id = w.account_id WHERE known.id IS NOT NULL
        """;

    /// <summary>Deletes what is over; returns how many.</summary>
    /// <param name="days">How many days they are kept where the account says nothing else.</param>
    /// <param name="now">The time.</param>
    /// <param name="stop">Ends it between batches.</param>
    public async Task<int> DeleteAsync(int days, DateTimeOffset now, CancellationToken stop)
    {
        var total = 0;
        foreach (var endpoint in await EndpointsAsync(stop))
        {
            var before = endpoint.IsGone ? now : now - TimeSpan.FromDays(endpoint.KeepDays ?? days);
            total += await WalkAsync(endpoint.Id, before, endpoint.IsGone || endpoint.IsDisabled, stop);
        }
        return total;
    }

    private async Task<int> WalkAsync(long endpoint, DateTimeOffset before, bool pendingToo, CancellationToken stop)
    {
        var (total, last, more) = (0, 0L, true);
        while (more)
        {
            var page = await batches.RunAsync(
                Statement, row => (Deleted: row.GetInt64(0), Last: row.IsDBNull(1) ? 0 : row.GetInt64(1), More: row.GetBoolean(2)), stop, endpoint, before, last, pendingToo);
            (total, last, more) = (total + (int)page!.Value.Deleted, page.Value.Last, page.Value.More);
        }
        return total;
    }

    private async Task<List<(long Id, bool IsGone, bool IsDisabled, int? KeepDays)>> EndpointsAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand(Endpoints);
        await using var reader = await command.ExecuteReaderAsync(stop);
        var endpoints = new List<(long, bool, bool, int?)>();
        while (await reader.ReadAsync(stop))
            endpoints.Add((reader.GetInt64(0), reader.GetBoolean(1), reader.GetBoolean(2), reader.IsDBNull(3) ? null : reader.GetInt32(3)));
        return endpoints;
    }
}
