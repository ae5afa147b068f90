using MoxApi.Migrations.Messages;
using Npgsql;

namespace MoxApi.Migrations.Accounts;

/// <summary>Deletes what is left of an account that was marked as deleted: its messages and lists in batches, its row last.</summary>
public static class DeletedAccounts
{
    private const int RowsAtOnce = 5000;

    // What a worker has in hand is left for the next time.
    private const string Messages = """
        SELECT m.id FROM message m WHERE m.account_id = $1 AND NOT EXISTS (
          SELECT 1 FROM recipient r JOIN queue q ON q.recipient_id = r.id WHERE r.message_id = m.id AND q.session_id IS NOT NULL)
        ORDER BY m.accepted_at, m.id LIMIT $2
        """;

    private static readonly string[] Lists =
    [
        "DELETE FROM suppression WHERE id IN (SELECT id FROM suppression WHERE account_id = $1 LIMIT $2) RETURNING id",
        "DELETE FROM idempotent_answer WHERE account_id = $1 AND key IN (SELECT key FROM idempotent_answer WHERE account_id = $1 LIMIT $2) RETURNING account_id",
        """
        WITH e AS (DELETE FROM event WHERE id IN (SELECT id FROM event WHERE account_id = $1 AND message_id IS NULL LIMIT $2) RETURNING id),
        d AS (DELETE FROM webhook_delivery WHERE event_id IN (SELECT id FROM e) RETURNING id),
        q AS (DELETE FROM webhook_queue WHERE delivery_id IN (SELECT id FROM d))
        SELECT id FROM e
        """,
    ];

    /// <summary>The accounts that are marked.</summary>
    public static async Task<List<long>> FindAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("SELECT id FROM account WHERE deleted_at IS NOT NULL ORDER BY id");
        return await IdsAsync(command, cancel);
    }

    /// <summary>Deletes what there is of an account that has nothing queued; returns false where something is left for the next time.</summary>
    public static async Task<bool> RemoveAsync(NpgsqlDataSource database, long account, CancellationToken cancel)
    {
        while (await PageAsync(database, Messages, account, MessageRemoval.BatchSize, cancel) is { Count: > 0 } page) await MessageRemoval.RemoveAsync(database, [.. page], cancel);
        foreach (var list in Lists)
        {
            while ((await PageAsync(database, list, account, RowsAtOnce, cancel)).Count == RowsAtOnce) cancel.ThrowIfCancellationRequested();
        }
        await using var last = database.CreateCommand(
            "DELETE FROM account WHERE id = $1 AND deleted_at IS NOT NULL AND NOT EXISTS (SELECT 1 FROM message WHERE account_id = $1) AND NOT EXISTS (SELECT 1 FROM domain WHERE account_id = $1)");
        last.Parameters.Add(new() { Value = account });
        return await last.ExecuteNonQueryAsync(cancel) > 0;
    }

    private static async Task<List<long>> PageAsync(NpgsqlDataSource database, string statement, long account, int limit, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(statement);
        command.Parameters.Add(new() { Value = account });
        command.Parameters.Add(new() { Value = limit });
        return await IdsAsync(command, cancel);
    }

    private static async Task<List<long>> IdsAsync(NpgsqlCommand command, CancellationToken cancel)
    {
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var ids = new List<long>();
        while (await reader.ReadAsync(cancel)) ids.Add(reader.GetInt64(0));
        return ids;
    }
}
