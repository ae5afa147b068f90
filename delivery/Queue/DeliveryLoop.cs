using Microsoft.Extensions.Logging;
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
    NpgsqlDataSource database, DeliveryEngine engine, QueueReader reader, Orphans orphans, NodeSession session, TimeProvider time, ILogger<DeliveryLoop> logger)
{
    private static readonly TimeSpan ScanEvery = TimeSpan.FromSeconds(2);

    private readonly DueLanes due = new();
    private readonly Lock gate = new();
    private readonly WakeSignal wake = session.Signal(Roles.Delivery);
    private long lastScan;
    private long lastSweep;
    private TimeSpan scanTook;
    private bool mustScan;

    /// <summary>Works until it is stopped; then lets what is in flight finish, and returns normally.</summary>
    public async Task DrainAsync(CancellationToken stop)
    {
        engine.Due = Note;
        engine.Open();
        mustScan = true;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                await ScanAsync(stop);
                await ClaimDueAsync(stop);
                await wake.NextAsync(Pause(), stop);
            }
            catch (Exception fault) when (!stop.IsCancellationRequested)
            {
                // PostgreSQL may be away, or something is wrong with a row: in no case does delivery end.
                Log.Failed(logger, fault);
                await Task.Delay(TimeSpan.FromMilliseconds(500), time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (OperationCanceledException)
            {
                // Stopped.
            }
        }
        await GiveBackAsync(await engine.StopAsync());
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

    private async Task GiveBackAsync(IReadOnlyList<ReadyRow> rows)
    {
        try
        {
            await reader.ReleaseAsync(rows, CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.NotGivenBack(logger, rows.Count, fault.Message); // They come back when the session ends.
        }
    }

    // What nobody told us: rows of dead sessions, rows that another node queued or rescheduled.
    private async Task ScanAsync(CancellationToken stop)
    {
        mustScan |= wake.TakeFromElsewhere();
        if (time.GetElapsedTime(lastScan) < ScanIn || !session.IsSafe) return;
        var start = time.GetTimestamp();
        await session.EndDeadSessionsAsync(stop);
        if (await orphans.ReturnAsync(session, stop) is > 0 and var returned) Log.Returned(logger, returned);
        await ReleaseStraysAsync(stop);
        var waiting = await LeasedQueue.Mail.WaitingAsync(database, stop);
        lock (gate) due.Replace(waiting);
        lastScan = time.GetTimestamp();
        scanTook = time.GetElapsedTime(start);
        mustScan = false;
    }

    // A scan takes 4 µs a lane: with very many lanes it comes less often, also when other nodes wake us all the time.
    private TimeSpan ScanIn => mustScan ? scanTook * 4 : scanTook * 20 is var longer && longer > ScanEvery ? longer : ScanEvery;

    // A claim or an accept may be committed although its answer was lost, with PostgreSQL or in a call that was canceled: such a row is leased to
    // this node, which does not know of it. As it may be any row that is older than the question, the answer is compared after it has come.
    private async Task ReleaseStraysAsync(CancellationToken stop)
    {
        if (lastSweep != 0 && time.GetElapsedTime(lastSweep) < session.Lease.Lost) return;
        var lease = session.Id;
        var strays = engine.Strays(await LeasedQueue.Mail.HeldAsync(database, lease, stop));
        await LeasedQueue.Mail.ReleaseAsync(database, lease, strays, stop);
        if (strays.Length > 0) Log.Strays(logger, strays.Length);
        lastSweep = time.GetTimestamp();
    }

    private async Task ClaimDueAsync(CancellationToken stop)
    {
        if (!session.IsSafe) return;
        var now = time.GetUtcNow();
        var wants = Wants(now);
        if (wants.Count == 0) return;
        var lease = session.Id;
        var rows = await LeasedQueue.Mail.ClaimAsync(database, lease, wants, now, stop);
        foreach (var lane in rows.GroupBy(r => r.LaneId))
        {
            await engine.OfferAsync(lane.Key, [.. lane.Select(r => new ReadyRow(r.Id, lease, null, 0))]);
            // A full answer says that there may be more.
            if (wants.Any(w => w.LaneId == lane.Key && w.Rows == lane.Count())) Note(lane.Key, now);
        }
    }

    private List<Want> Wants(DateTimeOffset now)
    {
        var wants = new List<Want>();
        lock (gate)
        {
            foreach (var lane in due.Take(now))
            {
                var (rows, blockedUntil) = engine.Room(lane);
                if (rows > 0) wants.Add(new(lane, rows));
                else if (blockedUntil is { } until) due.Note(lane, until);
                // Else it is full: the engine notes it again when there is room.
            }
        }
        return wants;
    }

    private TimeSpan Pause()
    {
        // PostgreSQL is away: nothing can be claimed before the session is renewed.
        if (!session.IsSafe) return TimeSpan.FromMilliseconds(250);
        var pause = ScanIn - time.GetElapsedTime(lastScan);
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

        [LoggerMessage(LogLevel.Warning, "{Count} recipients were leased to this node without its knowing, and are given back")]
        internal static partial void Strays(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "{Count} rows could not be given back; they come back when the session ends: {Fault}")]
        internal static partial void NotGivenBack(ILogger logger, int count, string fault);
    }
}
