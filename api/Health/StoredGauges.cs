using System.Diagnostics.Metrics;
using Npgsql;

namespace MoxApi.Api.Health;

/// <summary>
/// What stands in the database and is worth a curve: the queue by state, quarantined recipients, accounts that may not send. Read when somebody looks at
/// the metrics, every 30 seconds at most, and in the background: a scrape shows what was read before it.
/// </summary>
internal sealed partial class StoredGauges : IDisposable
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(30);

    // Counting goes no further: it must stay cheap when much is wrong. A million rows take some 0.1 s.
    private const string Statement = """
        SELECT 'queue', CASE WHEN q.held THEN 'held' WHEN q.session_id IS NOT NULL THEN 'leased' WHEN q.due_at <= now() THEN 'due' ELSE 'later' END, count(*)
        FROM (SELECT held, session_id, due_at FROM queue LIMIT 1000000) q GROUP BY 2
        UNION ALL
        SELECT 'quarantined', '', count(*) FROM account a CROSS JOIN LATERAL (SELECT FROM recipient r WHERE r.account_id = a.id AND r.status = 8 LIMIT 10000) r
        UNION ALL
        SELECT 'accounts', state, count(*) FROM account a
        CROSS JOIN LATERAL (VALUES ('paused', a.paused_at), ('suspended', a.suspended_at), ('deleted', a.deleted_at)) AS s(state, since) WHERE s.since IS NOT NULL GROUP BY 2
        """;

    private static readonly (string Gauge, string[] States)[] Known =
        [("queue", ["due", "later", "leased", "held"]), ("quarantined", [""]), ("accounts", ["paused", "suspended", "deleted"])];

    private readonly NpgsqlDataSource database;
    private readonly TimeProvider time;
    private readonly ILogger<StoredGauges> logger;
    private readonly Meter meter = new("MoxApi.Stored");
    private volatile Dictionary<(string, string), long> counts = [];
    private long readAt;
    private int reading;

    public StoredGauges(NpgsqlDataSource database, TimeProvider time, ILogger<StoredGauges> logger)
    {
        (this.database, this.time, this.logger) = (database, time, logger);
        Gauge("queue", "moxapi_queue_recipients", "Recipients in the queue by state: due, later, leased (in a node's hands), held. Counted up to a million.");
        Gauge("quarantined", "moxapi_quarantined_recipients", "Recipients that were set aside for an operator, up to 10,000 of an account.");
        Gauge("accounts", "moxapi_accounts_stopped", "Accounts that may not send, by reason: paused by themselves, suspended, deleted.");
    }

    public void Dispose() => meter.Dispose();

    /// <summary>Reads anew, whatever the age of what is known.</summary>
    internal async Task ReadAsync()
    {
        var read = new Dictionary<(string, string), long>();
        await using var command = database.CreateCommand(Statement);
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) read[(reader.GetString(0), reader.GetString(1))] = reader.GetInt64(2);
        counts = read;
    }

    private void Gauge(string gauge, string name, string description) => meter.CreateObservableGauge(name, () => Measure(gauge), description: description);

    private IEnumerable<Measurement<long>> Measure(string gauge)
    {
        RefreshIfOld();
        if (counts.Count == 0) return [];
        return Known.Single(known => known.Gauge == gauge).States.Select(state => state.Length == 0
            ? new Measurement<long>(counts.GetValueOrDefault((gauge, state)))
            : new Measurement<long>(counts.GetValueOrDefault((gauge, state)), new KeyValuePair<string, object?>("state", state)));
    }

    private void RefreshIfOld()
    {
        if (counts.Count > 0 && time.GetElapsedTime(Volatile.Read(ref readAt)) < Fresh) return;
        if (Interlocked.Exchange(ref reading, 1) == 0) _ = RefreshAsync();
    }

    private async Task RefreshAsync()
    {
        try
        {
            await ReadAsync();
        }
        catch (NpgsqlException fault)
        {
            Log.NotRead(logger, fault.Message);
        }
        finally
        {
            Volatile.Write(ref readAt, time.GetTimestamp());
            Volatile.Write(ref reading, 0);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "The queue could not be counted for the metrics: {Fault}")]
        internal static partial void NotRead(ILogger logger, string fault);
    }
}
