using Microsoft.Extensions.Logging;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// The node's resident delivery job: claims what is due, lane by lane, and hands it to the engine; takes back what dead nodes held. It works
/// until it is stopped, and sleeps until the next row is due or somebody wakes it.
/// </summary>
internal sealed partial class DeliveryLoop(
    NpgsqlDataSource database, DeliveryEngine engine, LaneWorkers workers, Admission admission, Lanes lanes, Orphans orphans, NodeSession session, TimeProvider time, ILogger<DeliveryLoop> logger)
{
    private static readonly TimeSpan RetryWait = TimeSpan.FromMilliseconds(500);

    private readonly DueLanes due = new();
    private readonly Lock gate = new();
    private readonly WakeSignal wake = session.Signal(Roles.Delivery);
    private long lastScan;
    private long lastStrays = time.GetTimestamp();
    private TimeSpan nextScanIn;
    private TimeSpan scanTook;
    private bool mustScan;
    private long roundAt = time.GetTimestamp();

    /// <summary>How often to look for what nobody told of; a test that is about what is told makes it rare.</summary>
    public TimeSpan ScanEvery { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>The time since the loop last went round without a fault.</summary>
    public TimeSpan SinceLastRound => time.GetElapsedTime(Volatile.Read(ref roundAt));

    /// <summary>Works until it is stopped; then lets what is in flight finish, and returns normally.</summary>
    public async Task DrainAsync(CancellationToken stop)
    {
        engine.Due = Note;
        engine.Open();
        nextScanIn = TimeSpan.Zero;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ScanAsync(stop);
                await ClaimDueAsync(stop);
                Volatile.Write(ref roundAt, time.GetTimestamp());
                await wake.NextAsync(Pause(), stop);
            }
            catch (Exception fault)
            {
                // PostgreSQL may be away, or something is wrong with a row: in no case does delivery end, unless it is stopped.
                if (stop.IsCancellationRequested) break;
                Log.Failed(logger, fault);
                await Task.Delay(RetryWait, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
        await engine.StopAsync();
        try
        {
            // A claim that the stop interrupted may be committed: its rows were never tried, and are not to come back as if they had been.
            await ReturnStraysAsync(CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.Failed(logger, fault); // They come back when the session has ended.
        }
    }

    /// <summary>A lane has a row due at this time.</summary>
    public void Note(long lane, DateTimeOffset dueAt)
    {
        bool first;
        lock (gate)
        {
            first = due.First is not { } known || dueAt < known;
            due.Note(lane, dueAt);
        }
        if (first) wake.Set();
    }

    // What nobody told us: rows of dead sessions, rows that another node queued or rescheduled.
    private async Task ScanAsync(CancellationToken stop)
    {
        mustScan |= wake.TakeFromElsewhere();
        if (!session.IsSafe || (time.GetElapsedTime(lastScan) is var since && since < nextScanIn && !(mustScan && since > scanTook * 4))) return;
        var start = time.GetTimestamp();
        await admission.RefreshAsync(stop);
        await session.EndDeadSessionsAsync(stop);
        if (await orphans.ReturnAsync(session, stop) is > 0 and var returned) Log.Returned(logger, returned);
        if (time.GetElapsedTime(lastStrays) > session.Lease.Lost) await ReturnStraysAsync(stop);
        var waiting = await LeasedQueue.Mail.WaitingAsync(database, stop);
        lock (gate)
        {
            foreach (var lane in waiting) due.Note(lane.LaneId, lane.DueAt);
        }
        lastScan = time.GetTimestamp();
        (scanTook, mustScan) = (time.GetElapsedTime(start), false);
        // A scan takes 4 µs a lane: with very many lanes it comes less often.
        nextScanIn = scanTook * 20 is var longer && longer > ScanEvery ? longer : ScanEvery;
    }

    private async Task ClaimDueAsync(CancellationToken stop)
    {
        if (!session.IsSafe) return;
        var now = time.GetUtcNow();
        var wants = Wants(now);
        if (wants.Count == 0) return;
        var lease = session.Id;
        var rows = await LeasedQueue.Mail.ClaimAsync(database, lease, wants, now, stop);
        var wanted = wants.ToDictionary(w => w.LaneId, w => w.Rows);
        var unreadable = new List<ReadyRow>();
        foreach (var lane in rows.GroupBy(r => r.LaneId))
        {
            var ready = lane.Select(r => new ReadyRow(r.Id, lease, null, 0, IsSuspect: r.Reclaims > 0)).ToList();
            if (MailDomain.TryParse(await lanes.DomainAsync(lane.Key, stop), out var domain, out _)) await engine.OfferAsync(lane.Key, domain, ready);
            else unreadable.AddRange(ready);
            // A full answer says that there may be more.
            if (ready.Count == wanted[lane.Key]) Note(lane.Key, now);
        }
        if (unreadable.Count > 0) await workers.FailAsync(lease, [.. unreadable.Select(r => r.Id)], stop);
    }

    /// <summary>
    /// Gives back rows that are leased to us without our knowing: the connection broke after a claim or an accept was committed and before its
    /// answer came. Between claims only, and what is leased is read before what is known: so nothing that is in hand passes for a stray.
    /// </summary>
    internal async Task<int> ReturnStraysAsync(CancellationToken stop)
    {
        var lease = session.Id;
        var strays = engine.Strays(await LeasedQueue.Mail.LeasedAsync(database, lease, stop), lease);
        if (strays.Count > 0) await workers.Reader.ReleaseAsync(strays, stop);
        lastStrays = time.GetTimestamp();
        return strays.Count;
    }

    private List<Want> Wants(DateTimeOffset now)
    {
        List<long> lanes;
        lock (gate) lanes = due.Take(now);
        return lanes.Count == 0 ? [] : engine.Plan(lanes, Later);
    }

    // Without a wake-up: the round that is under way looks for the next time by itself.
    private void Later(long lane, DateTimeOffset dueAt)
    {
        lock (gate) due.Note(lane, dueAt);
    }

    private TimeSpan Pause()
    {
        if (!session.IsSafe) return RetryWait; // Nothing may be claimed until it is renewed.
        var pause = (mustScan ? scanTook * 4 : nextScanIn) - time.GetElapsedTime(lastScan);
        lock (gate)
        {
            if (due.First is { } first && first - time.GetUtcNow() is var until && until < pause) pause = until;
        }
        return pause < TimeSpan.Zero ? TimeSpan.Zero : pause;
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The delivery loop failed and goes on")]
        internal static partial void Failed(ILogger logger, Exception fault);

        [LoggerMessage(LogLevel.Warning, "{Count} recipients came back from sessions that ended")]
        internal static partial void Returned(ILogger logger, int count);
    }
}
