using Microsoft.Extensions.Logging;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Webhooks;
using Npgsql;

namespace MoxApi.Migrations.Pausing;

/// <summary>
/// Pauses accounts whose mail bounces or is complained about too much: nothing more is taken of them, and what they have queued is held until an admin
/// lets them go on. From then on they are judged by what came after.
/// </summary>
public sealed partial class PauseWatch(
    NpgsqlDataSource database, PauseOptions options, IdBlocks ids, RecipientChanges changes, NodeSession session, TimeProvider time, ILogger<PauseWatch> logger) : IDisposable
{
    // 50 is EventType.AccountPaused.
    private const string Pause = $"""
        WITH a AS (UPDATE account SET paused_at = $2, pause_reason = $3 WHERE id = $1 AND paused_at IS NULL AND deleted_at IS NULL RETURNING id),
        e AS (INSERT INTO event (id, account_id, type, at, sequence, detail) SELECT $4, id, 50, $2, 0, $5::json FROM a RETURNING id, account_id, type, at),
        {EventFanOut.Sql}
        SELECT (SELECT count(*) FROM a), (SELECT count(*) FROM wq)
        """;

    private const string Limits = """
        SELECT a.id, a.pause_bounce_percent, a.pause_complaint_percent,
          (SELECT max(e.at) FROM event e WHERE e.account_id = a.id AND e.message_id IS NULL AND e.type = 50)
        FROM account a WHERE a.id = ANY ($1) AND a.paused_at IS NULL AND a.deleted_at IS NULL
        """;

    private readonly OutcomeHistory history = new(database);
    private readonly SemaphoreSlim oneAtATime = new(1, 1);

    /// <summary>Looks at all accounts once; returns how many were paused.</summary>
    public async Task<int> RunAsync(CancellationToken stop)
    {
        // The first look reads the whole window, and may take longer than until the next one.
        if (!await oneAtATime.WaitAsync(TimeSpan.Zero, stop)) return 0;
        try
        {
            var now = time.GetUtcNow();
            await history.ReadAsync(now - options.Window, now, stop);
            var paused = 0;
            foreach (var (account, verdict) in await JudgeAsync(stop))
            {
                if (await PauseAsync(account, verdict, stop)) paused++;
            }
            await HoldAsync(stop);
            return paused;
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    /// <inheritdoc/>
    public void Dispose() => oneAtATime.Dispose();

    private async Task<List<(long Account, PauseVerdict Verdict)>> JudgeAsync(CancellationToken stop)
    {
        var suspects = history.Totals().Where(total => IsEnough(total.Outcomes)).Select(total => total.Account).ToArray();
        var verdicts = new List<(long, PauseVerdict)>();
        if (suspects.Length == 0) return verdicts;
        await using var command = database.CreateCommand(Limits);
        command.Parameters.Add(new() { Value = suspects });
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop))
        {
            var account = reader.GetInt64(0);
            var outcomes = history.Total(account, reader.IsDBNull(3) ? DateTimeOffset.MinValue : reader.GetFieldValue<DateTimeOffset>(3));
            if (!IsEnough(outcomes)) continue;
            var (bounces, complaints) = (reader.IsDBNull(1) ? options.BouncePercent : reader.GetDouble(1), reader.IsDBNull(2) ? options.ComplaintPercent : reader.GetDouble(2));
            if (PauseVerdict.Of(outcomes, bounces, complaints, options) is { } verdict) verdicts.Add((account, verdict));
        }
        return verdicts;
    }

    private bool IsEnough(Outcomes outcomes) =>
        outcomes.Finished >= options.MinimumRecipients && Math.Max(outcomes.Bounced, outcomes.Complained) >= options.MinimumCases;

    private async Task<bool> PauseAsync(long account, PauseVerdict verdict, CancellationToken stop)
    {
        await using var command = database.CreateCommand(Pause);
        foreach (var value in new object[] { account, time.GetUtcNow(), verdict.Reason, await ids.ReserveAsync(1, stop), verdict.Detail }) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        if (reader.GetInt64(0) == 0) return false;
        if (reader.GetInt64(1) > 0) session.Wake(Roles.Webhooks);
        Log.Paused(logger, account, verdict.Reason);
        return true;
    }

    // Of all that may not send, each time: what a worker had in its hands when they were stopped comes back to the queue later.
    private async Task HoldAsync(CancellationToken stop)
    {
        var stopped = new List<long>();
        await using (var command = database.CreateCommand("SELECT id FROM account WHERE (paused_at IS NOT NULL OR suspended_at IS NOT NULL) AND deleted_at IS NULL"))
        await using (var reader = await command.ExecuteReaderAsync(stop))
        {
            while (await reader.ReadAsync(stop)) stopped.Add(reader.GetInt64(0));
        }
        foreach (var account in stopped) await changes.ApplyToAccountAsync(account, RecipientChange.Hold, stop);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Account {Account} is paused: {Reason}")]
        internal static partial void Paused(ILogger logger, long account, string reason);
    }
}
