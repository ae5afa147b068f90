namespace MoxApi.Migrations.Retention;

/// <summary>Deletes old events that are about no message, such as <c>account.paused</c>.</summary>
internal sealed class OldEvents(Batches batches)
{
    internal const string Statement = """
        WITH page AS MATERIALIZED (
          SELECT id FROM event e WHERE account_id = $1 AND message_id IS NULL AND at < $2
          AND NOT EXISTS (SELECT FROM webhook_delivery d WHERE d.event_id = e.id AND d.status = 0) ORDER BY at LIMIT 1000),
        gone AS (DELETE FROM event e USING page WHERE e.id = page.id RETURNING e.id),
        d AS (DELETE FROM webhook_delivery d USING gone WHERE d.event_id = gone.id)
        SELECT count(*) FROM gone
        """;

    /// <summary>Deletes those of an account from before a time; returns how many.</summary>
    public Task<int> DeleteAsync(long account, DateTimeOffset before, CancellationToken stop) => batches.RepeatAsync(Statement, stop, account, before);
}
