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
    NpgsqlDataSource database, DeliveryEngine engine, Orphans orphans, NodeSession session, TimeProvider time, ILogger<DeliveryLoop> logger)
{
    private static readonly TimeSpan ScanEvery = TimeSpan.FromSeconds(2);

    private readonly DueLanes due = new();
    private readonly Lock gate = new();
    private readonly WakeSignal wake = session.Signal(Roles.Delivery);
    private long lastScan;
    private TimeSpan nextScanIn;

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
        await engine.StopAsync();
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
        if (time.GetElapsedTime(lastScan) < nextScanIn || !session.IsSafe) return;
        var start = time.GetTimestamp();
        await session.EndDeadSessionsAsync(stop);
        if (await orphans.ReturnAsync(session, stop) is > 0 and var returned) Log.Returned(logger, returned);
        var waiting = await LeasedQueue.Mail.WaitingAsync(database, stop);
        lock (gate) due.Replace(waiting);
        lastScan = time.GetTimestamp();
        // A scan takes 4 µs a lane: with very many lanes it comes less often.
        nextScanIn = time.GetElapsedTime(start) * 20 is var longer && longer > ScanEvery ? longer : ScanEvery;
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
            await engine.OfferAsync(lane.Key, lane.Select(r => new ReadyRow(r.Id, lease, null, 0)), reserved: false);
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
        var pause = nextScanIn - time.GetElapsedTime(lastScan);
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
