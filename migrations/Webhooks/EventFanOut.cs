namespace MoxApi.Migrations.Webhooks;

/// <summary>
/// The end of every statement that writes events: for each event in the common table expression <c>e</c> (id, account_id, type) a delivery
/// to each endpoint that wants it. So an event and its webhooks are one transaction, whoever writes it.
/// </summary>
internal static class EventFanOut
{
    /// <summary>Common table expressions to follow <c>e</c>; the last, <c>wq</c>, has a row per webhook delivery made.</summary>
    public const string Sql = """
        wd AS (
          INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at)
          SELECT w.id, e.id, 0, 0, e.at FROM e JOIN webhook_endpoint w ON w.account_id = e.account_id
          WHERE w.disabled_at IS NULL AND (e.type = ANY (w.events) OR (w.events = '{}' AND e.type <> 1))
          RETURNING id, endpoint_id, created_at),
        wq AS (
          INSERT INTO webhook_queue (delivery_id, endpoint_id, due_at, held, attempts, reclaims)
          SELECT id, endpoint_id, created_at, false, 0, 0 FROM wd RETURNING delivery_id)
        """;
}
