using Microsoft.Extensions.Logging;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using Npgsql;

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
    private static readonly TimeSpan Abortion = TimeSpan.FromSeconds(2);

    private readonly Lock gate = new();
    private readonly Dictionary<long, Lane> active = [];
    private readonly Queue<Lane> waiting = new();
    private readonly HashSet<Task> running = [];
    private readonly HashSet<long> held = [];
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

    /// <summary>Whether the rows of these recipients may be born leased, and if so keeps room for them.</summary>
    public bool TryReserve(IReadOnlyList<AcceptedRecipient> recipients, long size)
    {
        lock (gate)
        {
            if (!open || !session.IsSafe || held.Count + recipients.Count > options.MaxLeased || bytes + size > options.MaxBytesInMemory) return false;
            var now = time.GetUtcNow();
            foreach (var recipient in recipients)
            {
                if (active.TryGetValue(recipient.Row.LaneId, out var lane) && (lane.BlockedUntil > now || lane.Leased >= options.MaxLeasedPerDestination)) return false;
            }
            foreach (var recipient in recipients) held.Add(recipient.Row.Id);
            bytes += size;
            return true;
        }
    }

    /// <summary>Gives room back that was kept for rows which were not leased after all.</summary>
    public void Unreserve(IReadOnlyList<AcceptedRecipient> recipients, long size)
    {
        lock (gate)
        {
            foreach (var recipient in recipients) held.Remove(recipient.Row.Id);
            bytes -= size;
        }
    }

    /// <summary>
    /// Those of the rows leased to this node's session that it does not have in hand: their claim or accept was committed, but the answer was
    /// lost on its way.
    /// </summary>
    public long[] Strays(IEnumerable<long> leasedRows)
    {
        lock (gate) return [.. leasedRows.Where(id => !held.Contains(id))];
    }

    /// <summary>How many rows of a lane to claim now; and if none because it is blocked, until when.</summary>
    public (int Rows, DateTimeOffset? BlockedUntil) Room(long laneId)
    {
        lock (gate)
        {
            if (!open) return (0, null);
            var room = Math.Min(options.MaxLeasedPerDestination, options.MaxLeased - held.Count);
            if (!active.TryGetValue(laneId, out var lane)) return (room, null);
            if (lane.BlockedUntil > time.GetUtcNow()) return (0, lane.BlockedUntil);
            return (Math.Max(0, Math.Min(room, options.MaxLeasedPerDestination - lane.Leased)), null);
        }
    }

    /// <summary>Puts leased rows to work. Room for rows that come loaded was reserved before. Those that come when the node stops are given back.</summary>
    public async ValueTask OfferAsync(long laneId, IReadOnlyList<ReadyRow> rows)
    {
        var domain = await lanes.DomainAsync(laneId, CancellationToken.None);
        if (TryTake(laneId, domain, rows)) return;
        try
        {
            await workers.Reader.ReleaseAsync(rows, CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.NotGivenBack(logger, rows.Count, fault.Message); // They come back when the session ends.
        }
    }

    /// <summary>Stops taking rows; lets those in flight finish within the time allowed; returns those not begun, to be given back.</summary>
    public async Task<IReadOnlyList<ReadyRow>> StopAsync()
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
        // A final dot is waited for whatever happens. If its answer is late, the row keeps its lease, and whoever takes it back writes down that the
        // message may have been delivered.
        await all.WaitAsync(Abortion, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            var notBegun = active.Values.SelectMany(lane => lane.Ready).ToArray();
            foreach (var row in notBegun) Forget(row);
            active.Clear();
            return notBegun;
        }
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

    /// <summary>
    /// A worker is done with a row; if it stays in the queue, it says when it is due again. A row whose outcome PostgreSQL refused stays leased.
    /// </summary>
    internal void Finish(Lane lane, ReadyRow row, DateTimeOffset? dueAgain, bool staysLeased = false)
    {
        bool roomAgain;
        lock (gate)
        {
            lane.InHand--;
            Forget(row);
            if (staysLeased) held.Add(row.Id);
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

    private bool TryTake(long laneId, string domain, IReadOnlyList<ReadyRow> rows)
    {
        lock (gate)
        {
            if (!open)
            {
                foreach (var row in rows) Forget(row);
                return false;
            }
            if (!active.TryGetValue(laneId, out var lane)) active.Add(laneId, lane = new Lane(laneId, MailDomain.Parse(domain)));
            foreach (var row in rows)
            {
                lane.Ready.Enqueue(row);
                held.Add(row.Id);
            }
            Staff(lane);
            lane.Arrival.TrySetResult();
            lane.Arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    private void Forget(ReadyRow row)
    {
        held.Remove(row.Id);
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

        [LoggerMessage(LogLevel.Warning, "{Count} rows could not be given back; they come back when the session ends: {Fault}")]
        internal static partial void NotGivenBack(ILogger logger, int count, string fault);
    }
}
