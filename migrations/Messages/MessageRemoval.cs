using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>Deletes finished messages with all that belongs to them.</summary>
public static class MessageRemoval
{
    /// <summary>Messages of a transaction: few, for each may have a thousand recipients and their attempts.</summary>
    public const int BatchSize = 100;

    // One removal at a time, for of two accounts' messages over one body the last one must see that it is the last.
    private const string Lock = "SELECT pg_advisory_xact_lock(hashtext('moxapi.message_removal'))";

    private const string RemoveEntries = "DELETE FROM mailbox_message WHERE message_id = ANY ($1)";

    // Incoming messages of several accounts may share a body; their ids follow its own: see MailboxStore.
    private const string RemoveMessages = """
        WITH m AS (DELETE FROM message WHERE id = ANY ($1) RETURNING id, body_id),
        q AS (DELETE FROM queue WHERE recipient_id IN (SELECT r.id FROM recipient r WHERE r.message_id = ANY ($1))),
        r AS (DELETE FROM recipient WHERE message_id = ANY ($1) RETURNING id),
        a AS (DELETE FROM attempt WHERE recipient_id IN (SELECT id FROM r)),
        e AS (DELETE FROM event WHERE message_id = ANY ($1) RETURNING id),
        d AS (DELETE FROM webhook_delivery WHERE event_id IN (SELECT id FROM e) RETURNING id),
        w AS (DELETE FROM webhook_queue WHERE delivery_id IN (SELECT id FROM d)),
        b AS (
          DELETE FROM body WHERE id IN (
            SELECT m.body_id FROM m WHERE NOT EXISTS (
              SELECT 1 FROM message o WHERE o.id > m.body_id AND o.id <= m.body_id + 1000 AND o.body_id = m.body_id AND o.id <> ALL ($1)))
          RETURNING id)
        DELETE FROM body_chunk WHERE body_id IN (SELECT id FROM b)
        """;

    /// <summary>Deletes messages in one transaction.</summary>
    /// <param name="database">Where they are.</param>
    /// <param name="messages">None of which a worker has in hand; see <see cref="BatchSize"/>.</param>
    /// <param name="cancel">Gives up; then nothing is deleted.</param>
    public static async Task RemoveAsync(NpgsqlDataSource database, long[] messages, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new(Lock),
                new(RemoveEntries) { Parameters = { new() { Value = messages } } },
                new(RemoveMessages) { Parameters = { new() { Value = messages } } },
            },
        };
        await batch.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
    }
}
