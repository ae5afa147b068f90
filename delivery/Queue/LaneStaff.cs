namespace MoxApi.Delivery.Queue;

/// <summary>
/// The workers: which destination may have one now, and which has to give one up. Guarded by the lock of <see cref="DeliveryEngine"/>.
/// </summary>
internal sealed class LaneStaff(DeliveryOptions options, LaneShares shares, TimeProvider time, Func<WorkerSlot, Task> run)
{
    /// <summary>A worker for every so many rows that wait.</summary>
    public const int RowsPerWorker = 4;

    // Times that after which a destination is slow: a server that takes so long may hang over this message alone.
    private const int HangsAfter = 6;

    private readonly HashSet<WorkerSlot> slots = [];
    private int leaving;

    /// <summary>Whether workers may start.</summary>
    public bool IsOpen { get; set; }

    /// <summary>The workers' courses.</summary>
    public Task[] Running => [.. slots.Select(s => s.Running)];

    /// <summary>Starts as many workers as the lane's rows are worth and slots allow.</summary>
    public void Staff(Lane lane)
    {
        while (IsOpen && lane.Ready.Count > 0 && lane.Workers < Wanted(lane))
        {
            if (!HasSlot(lane.Share))
            {
                if (!lane.Waiting) lane.Share.Waiting.Enqueue(lane);
                lane.Waiting = true;
                return;
            }
            Start(lane);
        }
    }

    /// <summary>
    /// How many rows a worker is to take: as many as each of the lane's workers may have, and at least what is left for each of those that are about to take some, up to
    /// <see cref="RowsPerWorker"/>, so that few rows are no more connections than they are worth.
    /// </summary>
    public static int ShareOf(Lane lane) => Math.Max(ForEach(lane, lane.Workers), Math.Min(RowsPerWorker, ForEach(lane, lane.Idle)));

    /// <summary>Starts one more worker at a slow destination all of whose workers seem to hang, so that one message does not keep the others waiting; not where others wait for a slot.</summary>
    public void Reinforce(Lane lane)
    {
        var isWorth = IsOpen && lane.Ready.Count > 0 && lane.Workers < options.MaxConnectionsPerDestination;
        if (!isWorth || lane.Share.Waiting.Count > 0 || !HasSlot(lane.Share)) return;
        if (slots.Where(s => s.Lane == lane).All(s => s.Busy > HangsAfter * options.SlowAfter)) Start(lane);
    }

    /// <summary>Gives free slots to lanes that wait for them. Each lane that is looked at takes one, goes to another line, or no longer wants any.</summary>
    public void ServeWaiting()
    {
        foreach (var share in shares.All)
        {
            while (HasSlot(share) && share.Waiting.TryDequeue(out var next))
            {
                next.Waiting = false;
                Staff(next);
            }
        }
    }

    /// <summary>A worker has ended.</summary>
    public void Ended(WorkerSlot slot)
    {
        slots.Remove(slot);
        slot.IsIdle = false;
        slot.Lane.Leave(slot.IsGivenUp);
        if (slot.IsGivenUp) leaving--;
    }

    /// <summary>The workers that have been kept waiting too long, the longest first.</summary>
    public List<WorkerSlot> Overdue() => [.. slots.Where(s => s.Busy > options.SlowAfter).OrderByDescending(s => s.Busy)];

    /// <summary>Has workers of slow lanes give up while there are more than have a place, those of lanes that wait included. Returns their lanes.</summary>
    public List<Lane> Relieve(IEnumerable<WorkerSlot> overdue)
    {
        var lanes = new List<Lane>();
        foreach (var slot in overdue.Where(s => !s.IsGivenUp).Take(shares.Slow.MissingSlots))
        {
            slot.Abandon();
            slot.Lane.Abandon();
            lanes.Add(slot.Lane);
            leaving++;
        }
        return lanes;
    }

    private void Start(Lane lane)
    {
        var slot = new WorkerSlot(lane, time) { IsIdle = true };
        lane.Join();
        slots.Add(slot);
        slot.Running = run(slot);
    }

    private static int ForEach(Lane lane, int workers) => (lane.Ready.Count + workers - 1) / Math.Max(1, workers);

    // One worker finds out how the destination fares; then a few rows each, for those that are about to take some as well as for new ones.
    private int Wanted(Lane lane) => lane.Share == shares.Proven
        ? Math.Min(options.MaxConnectionsPerDestination, ((lane.Ready.Count + RowsPerWorker - 1) / RowsPerWorker) + lane.Workers - lane.Idle)
        : 1;

    // Those that were given up on and wait for the answer to a final dot come on top of the shares; the uncertain start no more when they are too many.
    private bool HasSlot(LaneShare share) => share.HasSlot && (share == shares.Proven || leaving < options.MaxConnections);
}
