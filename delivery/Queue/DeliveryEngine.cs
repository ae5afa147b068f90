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
    DeliveryOptions options, LaneWorkers workers, NodeSession session, DeliveryMetrics metrics, TimeProvider time, ILogger<DeliveryEngine> logger) : IDisposable
{
    // A worker for every so many rows that wait.
    private const int RowsPerWorker = 4;
    private const int MostIdleLanes = 100_000;

    // For workers to say QUIT and to give their rows back, after they were told to abort.
    private static readonly TimeSpan AbortWithin = TimeSpan.FromSeconds(3);

    private readonly Lock gate = new();
    private readonly Dictionary<long, Lane> active = [];
    private readonly Queue<Lane> waiting = new();
    private readonly HashSet<Task> running = [];
    private readonly HashSet<(long Id, long Lease)> held = [];
    private readonly HashSet<long> crowdedOut = [];
    private CancellationTokenSource stopping = new();
    private CancellationTokenSource aborting = new();
    private bool open;
    private int uncertain;
    private long bytes;

    /// <summary>Called when rows may be due: a lane, and when.</summary>
    public Action<long, DateTimeOffset> Due { get; set; } = static (_, _) => { };

    /// <summary>Rows leased to this node and not finished.</summary>
    public int Leased
    {
        get
        {
            lock (gate) return held.Count;
        }
    }

    /// <summary>Octets of messages that wait in memory.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return bytes;
        }
    }

    /// <summary>Takes work from now on.</summary>
    public void Open()
    {
        metrics.Leased = () => Leased;
        lock (gate)
        {
            stopping = new CancellationTokenSource();
            aborting = new CancellationTokenSource();
            open = true;
        }
    }

    /// <summary>Keeps room for a message whose rows may be born leased. Returns the session that they are to name; 0 when there is no room.</summary>
    public long TryReserve(Accept accept)
    {
        lock (gate)
        {
            var (lease, now) = (session.Id, time.GetUtcNow());
            if (!open || !session.IsSafe || held.Count + accept.Recipients.Count > options.MaxLeased || bytes + accept.Message.Size > options.MaxBytesInMemory) return 0;
            foreach (var recipient in accept.Recipients)
            {
                if (active.TryGetValue(recipient.Row.LaneId, out var lane) && (lane.BlockedUntil > now || lane.Leased >= options.MaxLeasedPerDestination)) return 0;
            }
            foreach (var recipient in accept.Recipients) held.Add((recipient.Row.Id, lease));
            bytes += accept.Message.Size;
            return lease;
        }
    }

    /// <summary>Gives room back that was kept for rows which were not leased after all.</summary>
    public void Unreserve(Accept accept)
    {
        lock (gate)
        {
            foreach (var recipient in accept.Recipients) held.Remove((recipient.Row.Id, accept.Session));
            bytes -= accept.Message.Size;
        }
    }

    /// <summary>Recipients of a message that is at hand will not come: it was found at the accept that they are not to be sent to.</summary>
    public void Forget(IEnumerable<AcceptedRecipient> recipients, long lease)
    {
        lock (gate)
        {
            foreach (var recipient in recipients) held.Remove((recipient.Row.Id, lease));
        }
    }

    /// <summary>How many rows of a lane to claim now, beside those wanted of other lanes; and if none because it is blocked, until when.</summary>
    public (int Rows, DateTimeOffset? BlockedUntil) Room(long laneId, int alreadyWanted)
    {
        lock (gate)
        {
            if (!open) return (0, null);
            var room = options.MaxLeasedPerDestination;
            if (active.TryGetValue(laneId, out var lane))
            {
                if (lane.BlockedUntil > time.GetUtcNow()) return (0, lane.BlockedUntil);
                room -= lane.Leased;
                lane.Full = room <= 0;
                if (lane.Full) return (0, null);
            }
            var left = options.MaxLeased - held.Count - alreadyWanted;
            if (left <= 0) crowdedOut.Add(laneId);
            return (Math.Max(0, Math.Min(room, left)), null);
        }
    }

    /// <summary>Puts leased rows to work, or gives them back where the engine was stopped meanwhile.</summary>
    public async ValueTask OfferAsync(long laneId, MailDomain domain, IReadOnlyList<ReadyRow> rows)
    {
        if (!TryOffer(laneId, domain, rows)) await workers.GiveBackAsync(domain, rows);
    }

    /// <summary>The rows of a session that this node does not know of: their lease was committed, but the answer that said so was lost.</summary>
    /// <param name="leased">What is leased to the session, read before this is called.</param>
    /// <param name="lease">The session.</param>
    public List<ReadyRow> Strays(IEnumerable<long> leased, long lease)
    {
        lock (gate) return [.. leased.Where(id => !held.Contains((id, lease))).Select(id => new ReadyRow(id, lease, null, 0))];
    }

    /// <summary>
    /// Stops taking rows; lets those in flight finish within the time allowed, and gives the others back. Who then still waits for the answer to a
    /// final dot is not waited for: such a row stays leased, and comes back as interrupted when the session has ended.
    /// </summary>
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
        await all.WaitAsync(AbortWithin, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var lane in Empty()) await workers.GiveBackAsync(lane.Domain, lane.Rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    /// <summary>Takes rows of a lane for a worker: its share of those that wait, all of one lease.</summary>
    internal List<ReadyRow> Take(Lane lane, int atMost)
    {
        lock (gate)
        {
            var lease = session.Id;
            var share = Math.Min(atMost, (lane.Ready.Count + lane.Workers - 1) / Math.Max(1, lane.Workers));
            var rows = new List<ReadyRow>(share);
            while (rows.Count < share && lane.Ready.TryDequeue(out var row))
            {
                if (row.Lease == lease) rows.Add(row);
                else Forget(row); // Of a session that was lost: others have it, or we do again under the new one.
            }
            lane.InHand += rows.Count;
            return rows;
        }
    }

    /// <summary>Waits, with a connection in hand, until rows come; false when none came in time.</summary>
    internal async Task<bool> AwaitRowsAsync(Lane lane, CancellationToken stop)
    {
        var since = time.GetTimestamp();
        while (options.IdleConnection - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero && !stop.IsCancellationRequested)
        {
            Task arrival;
            lock (gate)
            {
                if (lane.Ready.Count > 0) return true;
                lane.Idle++;
                arrival = lane.Arrival.Task;
            }
            // All that wait are woken, and the first takes the row: the others wait on.
            await arrival.WaitAsync(left, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            lock (gate) lane.Idle--;
        }
        lock (gate) return lane.Ready.Count > 0;
    }

    /// <summary>A worker is done with a row; if it stays in the queue, it says when it is due again.</summary>
    internal void Finish(Lane lane, ReadyRow row, DateTimeOffset? dueAgain)
    {
        long[] roomy;
        lock (gate)
        {
            lane.InHand--;
            Forget(row);
            roomy = LanesWithRoomAgain(lane);
        }
        if (dueAgain is { } due) Due(lane.Id, due);
        foreach (var id in roomy) Due(id, time.GetUtcNow());
    }

    /// <summary>A worker's outcome for a row was refused: it stays leased, since a second delivery would be worse, until the session ends.</summary>
    internal void Keep(Lane lane, ReadyRow row)
    {
        lock (gate)
        {
            lane.InHand--;
            bytes -= row.Bytes;
        }
    }

    /// <summary>A worker's connection came about: the destination may have more of them.</summary>
    internal void Connected(Lane lane)
    {
        lock (gate)
        {
            var wasProven = lane.Proven;
            if (!wasProven) uncertain -= lane.Workers;
            lane.Succeeded();
            Staff(lane);
            if (!wasProven) ServeWaiting();
        }
    }

    /// <summary>No server of the destination took a connection. Where it was for good, DNS says so at once the next time: that needs no pause.</summary>
    internal void Unreachable(Lane lane, bool forGood)
    {
        lock (gate)
        {
            if (lane.Proven) uncertain += lane.Workers;
            lane.Failed(forGood ? null : time.GetUtcNow());
        }
    }

    private bool TryOffer(long laneId, MailDomain domain, IReadOnlyList<ReadyRow> rows)
    {
        lock (gate)
        {
            if (!open)
            {
                foreach (var row in rows) Forget(row);
                return false;
            }
            if (!active.TryGetValue(laneId, out var lane)) active.Add(laneId, lane = new Lane(laneId, domain));
            foreach (var row in rows)
            {
                held.Add((row.Id, row.Lease));
                lane.Ready.Enqueue(row);
            }
            Staff(lane);
            lane.Arrival.TrySetResult();
            lane.Arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    private List<(MailDomain Domain, IReadOnlyList<ReadyRow> Rows)> Empty()
    {
        lock (gate)
        {
            var left = active.Values.Where(l => l.Ready.Count > 0).Select(l => (l.Domain, (IReadOnlyList<ReadyRow>)l.Ready.ToArray())).ToList();
            foreach (var row in left.SelectMany(l => l.Item2)) Forget(row);
            foreach (var lane in active.Values) lane.Ready.Clear();
            active.Clear();
            crowdedOut.Clear();
            return left;
        }
    }

    private void Forget(ReadyRow row)
    {
        held.Remove((row.Id, row.Lease));
        bytes -= row.Bytes;
    }

    // Half empty, so that a claim is worth its round trip.
    private long[] LanesWithRoomAgain(Lane lane)
    {
        if (crowdedOut.Count > 0 && held.Count <= options.MaxLeased / 2)
        {
            long[] all = [.. crowdedOut];
            crowdedOut.Clear();
            return all;
        }
        if (!lane.Full || lane.Leased > options.MaxLeasedPerDestination / 2) return [];
        lane.Full = false;
        return [lane.Id];
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
            ServeWaiting();
        }
    }

    // Each lane that waits once: those that still find no slot stand in line again.
    private void ServeWaiting()
    {
        for (var left = waiting.Count; left > 0 && running.Count < options.MaxConnections; left--)
        {
            var next = waiting.Dequeue();
            next.Waiting = false;
            Staff(next);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The delivery worker for {Domain} failed")]
        internal static partial void WorkerFailed(ILogger logger, string domain, Exception fault);
    }
}
