using Npgsql;

namespace MoxApi.Migrations.Pausing;

/// <summary>
/// The outcomes of all accounts over a window, as sums of five minutes each that are kept in memory: every event is read for this once, by the
/// index over time, and not again every minute. What is younger than ten minutes is read anew each time, for events are committed a little later than
/// they say; one that is still later, after an outage, is left out.
/// </summary>
internal sealed class OutcomeHistory(NpgsqlDataSource database)
{
    private static readonly TimeSpan Span = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan Unsettled = TimeSpan.FromMinutes(10);

    // 3, 5 and 12 are the values of EventType for delivered, failed and complained; what has no attempt never left. The failures are few: only for them
    // their attempt is looked up. 1, 2 and 4 are the values of FailureClass that say that an address is of no use, unless a server said so for the time being (4xx);
    // other failures are not its account's doing.
    internal const string Statement = """
        SELECT e.account_id, count(*) FILTER (WHERE e.type <> 12),
          count(*) FILTER (WHERE e.type = 5 AND EXISTS (SELECT 1 FROM attempt a WHERE a.id = e.attempt_id AND a.failure_class IN (1, 2, 4) AND a.smtp_code NOT BETWEEN 400 AND 499)), count(*) FILTER (WHERE e.type = 12)
        FROM event e WHERE e.at >= $1 AND e.at < $2 AND e.type IN (3, 5, 12) AND (e.attempt_id IS NOT NULL OR e.type = 12) GROUP BY 1
        """;

    private readonly SortedDictionary<DateTimeOffset, Dictionary<long, Outcomes>> sums = [];
    private DateTimeOffset settled = DateTimeOffset.MinValue;

    /// <summary>Brings the sums up to date.</summary>
    public async Task ReadAsync(DateTimeOffset since, DateTimeOffset now, CancellationToken cancel)
    {
        foreach (var old in sums.Keys.TakeWhile(at => at < since).ToArray()) sums.Remove(old);
        for (var at = settled > since ? settled : Floor(since + Span); at <= now; at += Span)
        {
            sums[at] = await ReadAsync(at, cancel);
            if (at + Span <= now - Unsettled) settled = at + Span;
        }
    }

    /// <summary>The sums of each account from a time on.</summary>
    public IEnumerable<(long Account, Outcomes Outcomes)> Totals() => sums.Values.SelectMany(sum => sum).GroupBy(sum => sum.Key, sum => sum.Value)
        .Select(account => (account.Key, account.Aggregate((one, other) => one + other)));

    /// <summary>The sum of an account from a time on.</summary>
    public Outcomes Total(long account, DateTimeOffset since) =>
        sums.Where(sum => sum.Key >= since).Aggregate(default(Outcomes), (total, sum) => total + sum.Value.GetValueOrDefault(account));

    private static DateTimeOffset Floor(DateTimeOffset time) => new(time.UtcTicks - (time.UtcTicks % Span.Ticks), TimeSpan.Zero);

    private async Task<Dictionary<long, Outcomes>> ReadAsync(DateTimeOffset from, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(Statement);
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = from + Span });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var sum = new Dictionary<long, Outcomes>();
        while (await reader.ReadAsync(cancel)) sum[reader.GetInt64(0)] = new(reader.GetInt64(1), reader.GetInt64(2), reader.GetInt64(3));
        return sum;
    }
}
