namespace MoxApi.Migrations.Retention;

/// <summary>Takes away what deleted accounts had, the account's row last.</summary>
internal sealed class DeletedAccounts(Batches batches, OldMessages messages)
{
    /// <summary>How long after its deletion nothing of an account can be on its way in any more: who may send is known to nodes for seconds.</summary>
    internal static readonly TimeSpan Grace = TimeSpan.FromMinutes(10);

    private static readonly string[] BeforeMessages =
    [
        """
        WITH due AS MATERIALIZED (
          SELECT d.id FROM webhook_endpoint w CROSS JOIN LATERAL (SELECT id FROM webhook_delivery WHERE endpoint_id = w.id LIMIT 1000) d WHERE w.account_id = $1 LIMIT 1000),
        queued AS MATERIALIZED (SELECT 1 FROM due JOIN webhook_queue q ON q.delivery_id = due.id ORDER BY q.delivery_id FOR UPDATE OF q),
        gone AS (DELETE FROM webhook_delivery d USING due WHERE d.id = due.id AND (SELECT count(*) FROM queued) >= 0 RETURNING d.id),
        q AS (DELETE FROM webhook_queue q USING gone WHERE q.delivery_id = gone.id)
        SELECT count(*) FROM gone
        """,
        "WITH gone AS (DELETE FROM webhook_endpoint WHERE account_id = $1 RETURNING 1) SELECT count(*) FROM gone",
        """
        WITH gone AS (
          DELETE FROM mailbox_message WHERE (mailbox_id, uid) IN (
            SELECT mailbox_id, uid FROM mailbox_message WHERE account_id = $1 ORDER BY received_at, message_id LIMIT 1000)
          RETURNING 1)
        SELECT count(*) FROM gone
        """,
    ];

    private static readonly string[] AfterMessages =
    [
        """
        WITH gone AS (
          DELETE FROM event WHERE id IN (SELECT id FROM event WHERE account_id = $1 AND message_id IS NULL ORDER BY at LIMIT 1000) RETURNING 1)
        SELECT count(*) FROM gone
        """,
        """
        WITH gone AS (
          DELETE FROM idempotent_answer WHERE (account_id, key) IN (SELECT account_id, key FROM idempotent_answer WHERE account_id = $1 LIMIT 1000) RETURNING 1)
        SELECT count(*) FROM gone
        """,
        """
        WITH gone AS (DELETE FROM suppression WHERE id IN (SELECT id FROM suppression WHERE account_id = $1 LIMIT 1000) RETURNING 1)
        SELECT count(*) FROM gone
        """,
        // Addresses, API keys and mailboxes go with it: they are few. Where a message or a domain is left, it is for the next time.
        """
        WITH gone AS (
          DELETE FROM account WHERE id = $1
            AND NOT EXISTS (SELECT FROM message WHERE account_id = $1) AND NOT EXISTS (SELECT FROM domain WHERE account_id = $1)
          RETURNING 1)
        SELECT count(*) FROM gone
        """,
    ];

    /// <summary>Deletes an account with everything; returns how many messages it had.</summary>
    public async Task<int> DeleteAsync(long account, CancellationToken stop)
    {
        foreach (var statement in BeforeMessages) await batches.RepeatAsync(statement, stop, account);
        var deleted = await messages.DeleteAllAsync(account, stop);
        foreach (var statement in AfterMessages) await batches.RepeatAsync(statement, stop, account);
        return deleted;
    }
}
