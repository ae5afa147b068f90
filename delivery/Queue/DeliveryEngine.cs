using Microsoft.Extensions.Logging;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// The rows in this node's hands, by destination, and the connections at work on them. Each destination has workers of its own, so a slow
/// one delays nobody else; connections to destinations that are not known to answer come out of a smaller share of the whole.
/// </summary>
internal sealed partial class DeliveryEngine(
    DeliveryOptions options, LaneWorkers workers, NodeSession session, Lanes lanes, TimeProvider time, ILogger<DeliveryEngine> logger) : IDisposable
{
    // A worker for every so many rows that wait.
    private const int RowsPerWorker = 4;
    private const int MostIdleLanes = 100_000;

    private readonly Lock gate = new();
    private readonly Dictionary<long, Lane> active = [];
    private readonly Queue<Lane> waiting = new();
    private readonly HashSet<Task> running = [];
    private CancellationTokenSource stopping = new();
    private CancellationTokenSource aborting = new();
    private bool open;
    private int leased;
    private int uncertain;
    private long bytes;

    /// <summary>Called when rows may be due: a lane, and when.</summary>
    public Action<long, DateTimeOffset> Due { get; set; } = static (_, _) => { };

    /// <summary>Rows leased to this node and not finished.</summary>
    public int Leased => Volatile.Read(ref leased);

    /// <summary>Takes work from now on.</summary>
    public void Open()
    {
        lock (gate)
        {
            stopping = new CancellationTokenSource();
            aborting = new CancellationTokenSource();
            open = true;
        }
    }

    /// <summary>Whether rows of these lanes may be born leased, and if so keeps room for them.</summary>
    public bool TryReserve(IReadOnlyList<long> laneIds, long size)
    {
        lock (gate)
        {
            if (!open || !session.IsSafe || leased + laneIds.Count > options.MaxLeased || bytes + size > options.MaxBytesInMemory) return false;
            var now = time.GetUtcNow();
            foreach (var id in laneIds)
            {
                if (active.TryGetValue(id, out var lane) && (lane.BlockedUntil > now || lane.Leased >= options.MaxLeasedPerDestination)) return false;
            }
            leased += laneIds.Count;
            bytes += size;
            return true;
        }
    }

    /// <summary>Gives room back that was kept for rows which were not leased after all.</summary>
    public void Unreserve(int rows, long size)
    {
        lock (gate)
        {
            leased -= rows;
            bytes -= size;
        }
    }

    /// <summary>How many rows of a lane to claim now; and if none because it is blocked, until when.</summary>
    public (int Rows, DateTimeOffset? BlockedUntil) Room(long laneId)
    {
        lock (gate)
        {
            if (!open) return (0, null);
            var room = Math.Min(options.MaxLeasedPerDestination, options.MaxLeased - leased);
            if (!active.TryGetValue(laneId, out var lane)) return (room, null);
            if (lane.BlockedUntil > time.GetUtcNow()) return (0, lane.BlockedUntil);
            return (Math.Max(0, Math.Min(room, options.MaxLeasedPerDestination - lane.Leased)), null);
        }
    }

    /// <summary>Puts leased rows to work. Room for rows that come loaded was reserved before.</summary>
    public async ValueTask OfferAsync(long laneId, IEnumerable<ReadyRow> rows, bool reserved)
    {
        var domain = await lanes.DomainAsync(laneId, CancellationToken.None);
        lock (gate)
        {
            if (!active.TryGetValue(laneId, out var lane)) active.Add(laneId, lane = new Lane(laneId, MailDomain.Parse(domain)));
            foreach (var row in rows)
            {
                lane.Ready.Enqueue(row);
                if (!reserved) leased++;
            }
            Staff(lane);
            lane.Arrival.TrySetResult();
            lane.Arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
    }

    /// <summary>Stops taking rows; lets those in flight finish within the time allowed; forgets the others, whose leases end with the session.</summary>
    public async Task StopAsync()
    {
        Task[] left;
        lock (gate)
        {
            open = false;
            left = [.. running];
        }
        await stopping.CancelAsync();
        var all = Task.WhenAll(left);
        await all.WaitAsync(options.StopWithin, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await aborting.CancelAsync();
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate) active.Clear();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    /// <summary>Takes rows of a lane for a worker: its share of those that wait.</summary>
    internal List<ReadyRow> Take(Lane lane, int atMost)
    {
        lock (gate)
        {
            var share = Math.Min(atMost, (lane.Ready.Count + lane.Workers - 1) / Math.Max(1, lane.Workers));
            var rows = new List<ReadyRow>(share);
            while (rows.Count < share) rows.Add(lane.Ready.Dequeue());
            lane.InHand += rows.Count;
            return rows;
        }
    }

    /// <summary>Waits, with a connection in hand, until rows come; false when none came in time.</summary>
    internal async Task<bool> AwaitRowsAsync(Lane lane, CancellationToken stop)
    {
        Task arrival;
        lock (gate)
        {
            if (lane.Ready.Count > 0) return true;
            lane.Idle++;
            arrival = lane.Arrival.Task;
        }
        await arrival.WaitAsync(options.IdleConnection, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            lane.Idle--;
            return lane.Ready.Count > 0;
        }
    }

    /// <summary>A worker is done with a row; if it stays in the queue, it says when it is due again.</summary>
    internal void Finish(Lane lane, ReadyRow row, DateTimeOffset? dueAgain)
    {
        bool roomAgain;
        lock (gate)
        {
            lane.InHand--;
            Forget(row);
            // Half empty, so that a claim is worth its round trip.
            roomAgain = lane.Leased == options.MaxLeasedPerDestination / 2;
        }
        if (dueAgain is { } due) Due(lane.Id, due);
        else if (roomAgain) Due(lane.Id, time.GetUtcNow());
    }

    /// <summary>A worker's connection came about: the destination may have more of them.</summary>
    internal void Connected(Lane lane)
    {
        lock (gate)
        {
            if (!lane.Proven) uncertain -= lane.Workers;
            lane.Succeeded();
            Staff(lane);
        }
    }

    /// <summary>No server of the destination took a connection.</summary>
    internal void Unreachable(Lane lane)
    {
        lock (gate)
        {
            if (lane.Proven) uncertain += lane.Workers;
            lane.Failed(time.GetUtcNow());
        }
    }

    private void Forget(ReadyRow row)
    {
        leased--;
        bytes -= row.Bytes;
    }

    // Under the lock: starts as many workers as the lane's rows are worth and slots allow.
    private void Staff(Lane lane)
    {
        while (open && lane.Ready.Count > 0 && lane.Workers < Wanted(lane))
        {
            if (!HasSlot(lane))
            {
                if (!lane.Waiting) waiting.Enqueue(lane);
                lane.Waiting = true;
                return;
            }
            lane.Workers++;
            if (!lane.Proven) uncertain++;
            StartWorker(lane);
        }
    }

    // One worker finds out whether the destination answers; then a few rows each.
    private int Wanted(Lane lane) =>
        lane.Proven ? Math.Min(options.MaxConnectionsPerDestination, ((lane.Ready.Count + RowsPerWorker - 1) / RowsPerWorker) + lane.Workers - lane.Idle) : 1;

    private bool HasSlot(Lane lane) => running.Count < options.MaxConnections && (lane.Proven || uncertain < options.MaxUncertainConnections);

    private void StartWorker(Lane lane)
    {
        var (stop, abort) = (stopping.Token, aborting.Token);
        var task = Task.Run(() => workers.RunAsync(this, lane, stop, abort), CancellationToken.None);
        running.Add(task);
        _ = task.ContinueWith(done => Ended(lane, done), CancellationToken.None, TaskContinuationOptions.None, TaskScheduler.Default);
    }

    private void Ended(Lane lane, Task worker)
    {
        if (worker.Exception is { } fault) Log.WorkerFailed(logger, lane.Domain.Ascii, fault);
        lock (gate)
        {
            running.Remove(worker);
            lane.Workers--;
            if (!lane.Proven) uncertain--;
            Staff(lane);
            if (lane.Leased == 0 && lane.Workers == 0 && active.Count > MostIdleLanes) active.Remove(lane.Id);
            for (var left = waiting.Count; left > 0 && running.Count < options.MaxConnections; left--)
            {
                var next = waiting.Dequeue();
                next.Waiting = false;
                Staff(next);
            }
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The delivery worker for {Domain} failed")]
        internal static partial void WorkerFailed(ILogger logger, string domain, Exception fault);
    }
}
