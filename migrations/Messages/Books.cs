using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>The state of all recipients, and what does not add up.</summary>
/// <param name="Accepted">Recipients accepted.</param>
/// <param name="ByStatus">Recipients by status.</param>
/// <param name="Queued">Rows of the queue.</param>
/// <param name="Faults">What is wrong, as sentences; empty when the books balance.</param>
public sealed record BookReport(long Accepted, IReadOnlyDictionary<RecipientStatus, long> ByStatus, long Queued, IReadOnlyList<string> Faults);

/// <summary>
/// Checks that the books balance: accepted = delivered + failed + suppressed + canceled + quarantined + queued; that exactly what is not
/// finished is in the queue; and that every change has its event and every wanted event its webhook.
/// </summary>
public static class Books
{
    private const string Statement = """
        SELECT 'unfinished without a queue row', count(*) FROM recipient r WHERE r.status IN (0, 1, 2, 3) AND NOT EXISTS (SELECT 1 FROM queue q WHERE q.recipient_id = r.id)
        UNION ALL
        SELECT 'finished with a queue row', count(*) FROM queue q JOIN recipient r ON r.id = q.recipient_id WHERE r.status NOT IN (0, 1, 2, 3)
        UNION ALL
        SELECT 'queue rows without a recipient', count(*) FROM queue q WHERE NOT EXISTS (SELECT 1 FROM recipient r WHERE r.id = q.recipient_id)
        UNION ALL
        SELECT 'recipients whose events do not match their sequence', count(*) FROM recipient r
          WHERE r.event_sequence <> (SELECT count(*) FROM event e WHERE e.message_id = r.message_id AND e.recipient_id = r.id)
        UNION ALL
        SELECT 'recipients whose attempts do not match their count', count(*) FROM recipient r WHERE r.attempts <> (SELECT count(*) FROM attempt a WHERE a.recipient_id = r.id)
        UNION ALL
        SELECT 'messages without their body', count(*) FROM message m WHERE NOT EXISTS (SELECT 1 FROM body b WHERE b.id = m.body_id)
        UNION ALL
        SELECT 'pending webhook deliveries without a queue row', count(*) FROM webhook_delivery d WHERE d.status = 0 AND NOT EXISTS (SELECT 1 FROM webhook_queue q WHERE q.delivery_id = d.id)
        UNION ALL
        SELECT 'finished webhook deliveries with a queue row', count(*) FROM webhook_queue q JOIN webhook_delivery d ON d.id = q.delivery_id WHERE d.status <> 0
        """;

    /// <summary>Checks all recipients, in one snapshot.</summary>
    public static async Task<BookReport> CheckAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancel);
        var byStatus = new Dictionary<RecipientStatus, long>();
        await foreach (var (status, count) in RowsAsync<short>("SELECT status, count(*) FROM recipient GROUP BY status")) byStatus[(RecipientStatus)status] = count;
        var queued = 0L;
        await foreach (var (_, count) in RowsAsync<int>("SELECT 0, count(*) FROM queue")) queued = count;
        var faults = new List<string>();
        await foreach (var (fault, count) in RowsAsync<string>(Statement))
        {
            if (count > 0) faults.Add($"{count} {fault}");
        }
        var unfinished = byStatus.Where(s => s.Key is RecipientStatus.Queued or RecipientStatus.Scheduled or RecipientStatus.Held or RecipientStatus.Delayed).Sum(s => s.Value);
        if (unfinished != queued) faults.Add($"{unfinished} recipients are not finished, but {queued} are queued");
        return new BookReport(byStatus.Values.Sum(), byStatus, queued, faults);

        async IAsyncEnumerable<(T Key, long Count)> RowsAsync<T>(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 600 };
            await using var reader = await command.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel)) yield return (reader.GetFieldValue<T>(0), reader.GetInt64(1));
        }
    }
}
