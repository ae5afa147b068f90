using Hangfire;
using MoxApi.Api.Health;
using MoxApi.Migrations;
using MoxApi.Migrations.Messages;
using Npgsql;

namespace MoxApi.Api.Jobs;

/// <summary>What has to be done now and then, by any node.</summary>
internal sealed partial class Chores(NpgsqlDataSource database, NodeMetrics metrics, TimeProvider time, ILogger<Chores> logger)
{
    // Twice as long as it is from one check to the next, so that nothing falls in between.
    private static readonly TimeSpan Recent = TimeSpan.FromHours(2);

    /// <summary>Checks that the books balance: what has changed lately, and what is not finished.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task CheckBooks(CancellationToken stop)
    {
        var (began, now) = (time.GetTimestamp(), time.GetUtcNow());
        var report = await new RecentBooks(database).CheckAsync(now - Recent, now, stop);
        (metrics.BookFaults, metrics.BookCheck) = (report.Faults.Count, time.GetElapsedTime(began));
        foreach (var fault in report.Faults) Log.DoesNotBalance(logger, fault);
    }

    /// <summary>Forgets Idempotency-Keys that are older than a day, a thousand at a time so that no transaction is long.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task ForgetIdempotencyKeys(CancellationToken stop)
    {
        int deleted;
        do
        {
            // One that is just being taken over is locked, and then as good as new.
            await using var command = database.CreateCommand("""
                DELETE FROM idempotent_answer WHERE (account_id, key) IN (
                  SELECT account_id, key FROM idempotent_answer WHERE created_at < now() - make_interval(secs => $1) LIMIT 1000 FOR UPDATE SKIP LOCKED)
                """);
            command.Parameters.Add(new() { Value = IdempotentAnswer.Life.TotalSeconds });
            deleted = await command.ExecuteNonQueryAsync(stop);
        }
        while (deleted == 1000);
    }

    /// <summary>Deletes the Hangfire queues of nodes that are gone: nobody else works on them.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task ForgetDeadNodes(CancellationToken stop)
    {
        await using var command = database.CreateCommand($"""
            DELETE FROM {SchemaMigrator.HangfireSchema}.jobqueue q
            WHERE q.queue LIKE 'node-%' AND NOT EXISTS (SELECT 1 FROM session s WHERE 'node-' || s.node = q.queue AND s.seen_at > now() - interval '1 hour')
            """);
        await command.ExecuteNonQueryAsync(stop);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The books do not balance: {Fault}")]
        internal static partial void DoesNotBalance(ILogger logger, string fault);
    }
}
