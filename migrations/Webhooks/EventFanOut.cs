namespace MoxApi.Migrations.Webhooks;

/// <summary>
/// The end of every statement that writes events, about messages or about the account alone: for each event in the common table expression
/// <c>e</c> (id, account_id, type, at) a delivery to each endpoint that wants it. Who would be told that mail or webhooks have stopped is not left to what an
/// endpoint chose: <c>webhook.disabled</c> (31) and <c>account.paused</c> (50) go to each. So an event and its webhooks are one transaction, whoever writes it.
/// </summary>
public static class EventFanOut
{
    /// <summary>Common table expressions to follow <c>e</c>; the last, <c>wq</c>, has a row per webhook delivery made.</summary>
    public const string Sql = $"{Choose}{Queue}";

    /// <summary>
    /// As <see cref="Sql"/>, for statements that disable endpoints: not to those of the common table expression <c>disabled</c> (id), which the statement itself
    /// still sees as they were before it.
    /// </summary>
    public const string SqlButToDisabled = $"{Choose} AND w.id NOT IN (SELECT id FROM disabled){Queue}";

    private const string Choose = """
        wd AS (
          INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at)
          SELECT w.id, e.id, 0, 0, e.at FROM e JOIN webhook_endpoint w ON w.account_id = e.account_id
          WHERE w.disabled_at IS NULL AND (e.type = ANY (w.events) OR (w.events = '{}' AND e.type <> 1) OR e.type IN (31, 50))
        """;

    private const string Queue = """

          RETURNING id, endpoint_id, created_at),
        wq AS (
          INSERT INTO webhook_queue (delivery_id, endpoint_id, due_at, held, attempts, reclaims)
          SELECT id, endpoint_id, created_at, false, 0, 0 FROM wd RETURNING delivery_id)
        """;
}
