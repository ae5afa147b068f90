using Microsoft.Extensions.Logging;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// The rows in this node's hands, by destination, and the connections at work on them. Each destination has workers of its own, and those that
/// proved to be quick share nothing with those that did not (<see cref="LaneShares"/>): so slow ones, however many, delay nobody else.
/// </summary>
internal sealed partial class DeliveryEngine : IDisposable
{
    private const int MostIdleLanes = 100_000;

    // Many workers may look at once how much room there is.
    private const long MostReadAtOnce = 1 << 20;

    // For workers to say QUIT and to give their rows back, after they were told to abort.
    private static readonly TimeSpan AbortWithin = TimeSpan.FromSeconds(3);

    private readonly DeliveryOptions options;
    private readonly LaneWorkers workers;
    private readonly NodeSession session;
    private readonly DeliveryMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger<DeliveryEngine> logger;
    private readonly Lock gate = new();
    private readonly LaneShares shares;
    private readonly LaneRoom room;
    private readonly LaneStaff staff;
    private readonly Dictionary<long, Lane> active = [];
    private readonly HeldRows held = new();
    private CancellationTokenSource stopping = new();
    private CancellationTokenSource aborting = new();
    private Task watching = Task.CompletedTask;
    private long bytes;
    private long bytesRead;

    public DeliveryEngine(DeliveryOptions options, LaneWorkers workers, NodeSession session, DeliveryMetrics metrics, TimeProvider time, ILogger<DeliveryEngine> logger)
    {
        (this.options, this.workers, this.session, this.metrics, this.time, this.logger) = (options, workers, session, metrics, time, logger);
        shares = new LaneShares(options);
        room = new LaneRoom(options, shares, active, time);
        staff = new LaneStaff(options, shares, time, Start);
    }

    /// <summary>Called when rows may be due: a lane, and when. May be called under this engine's lock.</summary>
    public Action<long, DateTimeOffset> Due { get; set; } = static (_, _) => { };

    /// <summary>Rows leased to this node and not finished.</summary>
    public int Leased
    {
        get
        {
            lock (gate) return held.Count;
        }
    }

    /// <summary>Octets of messages that wait in memory since their accept.</summary>
    public long Bytes
    {
        get
        {
            lock (gate) return bytes;
        }
    }

    /// <summary>Octets of messages that workers have read for sending.</summary>
    public long BytesRead
    {
        get
        {
            lock (gate) return bytesRead;
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
            staff.IsOpen = true;
        }
        watching = WatchAsync(stopping.Token);
    }

    /// <summary>Keeps room for a message whose rows may be born leased. Returns the session that they are to name; 0 when there is no room.</summary>
    public long TryReserve(Accept accept)
    {
        lock (gate)
        {
            var lease = session.Id;
            var isRoom = held.Count + accept.Recipients.Count <= options.MaxLeased && bytes + accept.Message.Size <= options.MaxBytesInMemory;
            if (!staff.IsOpen || !session.IsSafe || !isRoom || !room.HasRoomFor(accept)) return 0;
            foreach (var recipient in accept.Recipients) held.Add(recipient.Row.Id, lease);
            bytes += accept.Message.Size;
            return lease;
        }
    }

    /// <summary>Gives room back that was kept for rows which were not leased after all.</summary>
    public void Unreserve(Accept accept)
    {
        lock (gate)
        {
            foreach (var recipient in accept.Recipients) held.Remove(recipient.Row.Id, accept.Session);
            bytes -= accept.Message.Size;
        }
    }

    /// <summary>Recipients of a message that is at hand will not come: it was found at the accept that they are not to be sent to.</summary>
    public void Forget(IEnumerable<AcceptedRecipient> recipients, long lease)
    {
        lock (gate)
        {
            foreach (var recipient in recipients) held.Remove(recipient.Row.Id, lease);
        }
    }

    /// <summary>
    /// What to claim of lanes that are due. The others come again: those that are blocked, later; those for which there is no room, when there is.
    /// </summary>
    /// <param name="due">The lanes, first come first served.</param>
    /// <param name="later">Called for a lane that is not to be claimed now, with the time from which it may be.</param>
    public List<Want> Plan(IEnumerable<long> due, Action<long, DateTimeOffset> later)
    {
        lock (gate)
        {
            if (!staff.IsOpen) return [];
            var wants = room.Plan(due, options.MaxLeased - held.Count, later);
            // Those that were called in had nothing: others may have.
            if (wants.Count == 0) CallIn();
            return wants;
        }
    }

    /// <summary>Puts claimed rows to work, or gives them back where the engine was stopped meanwhile.</summary>
    public ValueTask OfferAsync(long laneId, MailDomain domain, IReadOnlyList<ReadyRow> rows)
    {
        lock (gate)
        {
            foreach (var row in rows) held.Add(row.Id, row.Lease);
        }
        return OfferReservedAsync(laneId, domain, rows);
    }

    /// <summary>As <see cref="OfferAsync"/>, rows that <see cref="TryReserve"/> kept room for.</summary>
    public async ValueTask OfferReservedAsync(long laneId, MailDomain domain, IReadOnlyList<ReadyRow> rows)
    {
        if (!TryOffer(laneId, domain, rows)) await GiveBackAsync(domain, rows);
    }

    /// <summary>The rows of a session that this node does not know of: their lease was committed, but the answer that said so was lost.</summary>
    /// <param name="leased">What is leased to the session, read before this is called.</param>
    /// <param name="lease">The session.</param>
    public List<ReadyRow> Strays(IEnumerable<long> leased, long lease)
    {
        lock (gate) return [.. leased.Where(id => !held.Contains(id, lease)).Select(id => new ReadyRow(id, lease, null, 0))];
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
            staff.IsOpen = false;
            left = [.. staff.Running, watching];
        }
        await stopping.CancelAsync();
        var all = Task.WhenAll(left);
        await all.WaitAsync(options.StopWithin, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await aborting.CancelAsync();
        await all.WaitAsync(AbortWithin, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        foreach (var (domain, rows) in Empty()) await GiveBackAsync(domain, rows);
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        stopping.Dispose();
        aborting.Dispose();
    }

    private bool TryOffer(long laneId, MailDomain domain, IReadOnlyList<ReadyRow> rows)
    {
        lock (gate)
        {
            if (!staff.IsOpen) return false;
            if (!active.TryGetValue(laneId, out var lane)) active.Add(laneId, lane = new Lane(laneId, domain, shares.Unknown));
            foreach (var row in rows) lane.Add(row);
            staff.Staff(lane);
            lane.Arrival.TrySetResult();
            lane.Arrival = new(TaskCreationOptions.RunContinuationsAsynchronously);
            return true;
        }
    }

    // First given back, and then forgotten: what is leased and not held passes for a stray, which the loop gives back and may claim anew. A late
    // release would then free it in the middle of its conversation.
    private async Task GiveBackAsync(MailDomain domain, IReadOnlyList<ReadyRow> rows)
    {
        await workers.GiveBackAsync(domain, rows);
        lock (gate)
        {
            foreach (var row in rows) Forget(row);
            CallIn();
        }
    }

    private void Forget(ReadyRow row)
    {
        held.Remove(row.Id, row.Lease);
        Free(row);
    }

    private void Free(ReadyRow row)
    {
        if (row.Loaded is null) bytesRead -= row.Bytes;
        else bytes -= row.Bytes;
    }

    // Says of lanes that there is room for their rows again.
    private void CallIn(Lane? own = null)
    {
        if (own is not null && room.TryCallIn(own)) Due(own.Id, time.GetUtcNow());
        while (held.Count < options.MaxLeased && room.TryCallIn(out var other)) Due(other, time.GetUtcNow());
    }

    private List<(MailDomain Domain, IReadOnlyList<ReadyRow> Rows)> Empty()
    {
        lock (gate)
        {
            var left = active.Values.Where(l => l.Ready.Count > 0).Select(l => (l.Domain, (IReadOnlyList<ReadyRow>)l.Shed())).ToList();
            active.Clear();
            foreach (var share in shares.All) share.Clear();
            return left;
        }
    }
}
