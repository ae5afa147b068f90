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
/// finished is in the queue; and that every change has its event and every wanted event its webhook. Over all there is, in one snapshot: for tests and for
/// <c>moxapi check</c>. A service at work checks what has changed (<see cref="RecentBooks"/>).
/// </summary>
public static class Books
{
    private static readonly string Statement = string.Join(" UNION ALL ", BookRule.All.Select(r => $"SELECT '{r.Fault}', count(*) FROM {r.From} WHERE {r.Broken}"));

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
