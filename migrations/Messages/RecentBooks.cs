using System.Runtime.CompilerServices;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>What a check of the recent books found.</summary>
/// <param name="Checked">Recipients, messages and webhook deliveries that were looked at.</param>
/// <param name="Faults">What is wrong, as sentences; empty when the books balance.</param>
public sealed record RecentBookReport(long Checked, IReadOnlyList<string> Faults);

/// <summary>
/// The books of what has changed within a period, and of all that is not finished, however large the tables are: events lead to what changed, the queues and
/// the recipients' status to what is not finished. Each page is looked at in a snapshot of its own, short enough to be in nobody's way; within one a
/// recipient's rows always agree, because each change of them is one transaction.
/// </summary>
public sealed class RecentBooks(NpgsqlDataSource database)
{
    private const int PageSize = 5000;

    private static readonly TimeSpan Slice = TimeSpan.FromMinutes(1);

    private static readonly Dictionary<BookSubject, string> Statements = BookRule.All.GroupBy(r => r.Subject).ToDictionary(
        subject => subject.Key, subject => string.Join(" UNION ALL ", subject.Select(r => $"SELECT '{r.Fault}', {r.Key} FROM {r.From} WHERE {r.Key} = ANY ($1) AND {r.Broken}")));

    /// <summary>Checks what changed from a time on until another, and what is not finished.</summary>
    public async Task<RecentBookReport> CheckAsync(DateTimeOffset since, DateTimeOffset until, CancellationToken cancel)
    {
        var looked = 0L;
        var faults = new Dictionary<string, HashSet<long>>();
        await foreach (var (subject, ids) in ChangedAsync(since, until, cancel)) await LookAsync(subject, ids);
        await foreach (var ids in PagesAsync("SELECT recipient_id FROM queue WHERE recipient_id > $1 ORDER BY recipient_id LIMIT $2", cancel)) await LookAsync(BookSubject.Recipient, ids);
        await foreach (var ids in PagesAsync("SELECT delivery_id FROM webhook_queue WHERE delivery_id > $1 ORDER BY delivery_id LIMIT $2", cancel)) await LookAsync(BookSubject.WebhookDelivery, ids);
        await foreach (var ids in UnfinishedAsync(cancel)) await LookAsync(BookSubject.Recipient, ids);
        return new(looked, [.. faults.Select(f => $"{f.Value.Count} {f.Key}")]);

        async Task LookAsync(BookSubject subject, long[] ids)
        {
            looked += ids.Length;
            await using var command = database.CreateCommand(Statements[subject]);
            command.Parameters.Add(new() { Value = ids });
            await using var reader = await command.ExecuteReaderAsync(cancel);
            // What is met in two ways counts once.
            while (await reader.ReadAsync(cancel))
            {
                var fault = reader.GetString(0);
                if (!faults.TryGetValue(fault, out var broken)) faults[fault] = broken = [];
                broken.Add(reader.GetInt64(1));
            }
        }
    }

    private async IAsyncEnumerable<(BookSubject Subject, long[] Ids)> ChangedAsync(DateTimeOffset since, DateTimeOffset until, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var from = since; from < until; from += Slice)
        {
            await using var command = database.CreateCommand("""
                WITH e AS MATERIALIZED (SELECT id, recipient_id, message_id FROM event WHERE at >= $1 AND at < $2)
                SELECT array_agg(DISTINCT recipient_id) FILTER (WHERE recipient_id IS NOT NULL), array_agg(DISTINCT message_id) FILTER (WHERE message_id IS NOT NULL),
                  (SELECT array_agg(d.id) FROM e JOIN webhook_delivery d ON d.event_id = e.id) FROM e
                """);
            command.Parameters.Add(new() { Value = from });
            command.Parameters.Add(new() { Value = from + Slice < until ? from + Slice : until });
            var changed = new List<(BookSubject, long[])>();
            await using (var reader = await command.ExecuteReaderAsync(cancel))
            {
                await reader.ReadAsync(cancel);
                // The columns have the order of the subjects.
                foreach (var subject in Enum.GetValues<BookSubject>())
                {
                    if (!reader.IsDBNull((int)subject)) changed.AddRange(reader.GetFieldValue<long[]>((int)subject).Chunk(PageSize).Select(page => (subject, page)));
                }
            }
            foreach (var page in changed) yield return page;
        }
    }

    private async IAsyncEnumerable<long[]> UnfinishedAsync([EnumeratorCancellation] CancellationToken cancel)
    {
        foreach (var account in await IdsAsync("SELECT id FROM account", cancel))
        {
            foreach (var status in new[] { RecipientStatus.Queued, RecipientStatus.Scheduled, RecipientStatus.Held, RecipientStatus.Delayed })
            {
                var (at, message, recipient) = (DateTimeOffset.UnixEpoch, 0L, 0L);
                while (await PageAsync(account, status, at, message, recipient, cancel) is { Count: > 0 } page)
                {
                    yield return [.. page.Select(p => p.Recipient)];
                    (at, message, recipient) = page[^1];
                }
            }
        }
    }

    private async Task<List<(DateTimeOffset At, long Message, long Recipient)>> PageAsync(
        long account, RecipientStatus status, DateTimeOffset at, long message, long recipient, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("""
            SELECT accepted_at, message_id, id FROM recipient WHERE account_id = $1 AND status = $2 AND (accepted_at, message_id, id) > ($3, $4, $5)
            ORDER BY accepted_at, message_id, id LIMIT $6
            """);
        foreach (var value in new object[] { account, (short)status, at, message, recipient, PageSize }) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var page = new List<(DateTimeOffset, long, long)>();
        while (await reader.ReadAsync(cancel)) page.Add((reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1), reader.GetInt64(2)));
        return page;
    }

    private async IAsyncEnumerable<long[]> PagesAsync(string statement, [EnumeratorCancellation] CancellationToken cancel)
    {
        var last = 0L;
        while (await IdsAsync(statement, cancel, last, PageSize) is { Count: > 0 } page)
        {
            yield return [.. page];
            last = page[^1];
        }
    }

    private async Task<List<long>> IdsAsync(string statement, CancellationToken cancel, params object[] parameters)
    {
        await using var command = database.CreateCommand(statement);
        foreach (var value in parameters) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var ids = new List<long>();
        while (await reader.ReadAsync(cancel)) ids.Add(reader.GetInt64(0));
        return ids;
    }
}
