namespace MoxApi.Delivery.Queue;

/// <summary>
/// What the destinations of one standing have together: connections, rows in hand, and octets in memory. Guarded by the lock of
/// <see cref="DeliveryEngine"/>.
/// </summary>
internal sealed class LaneShare(int maxWorkers, int maxRows, long maxBytes)
{
    /// <summary>Rows that a lane may always have, however many others want some. A worker takes so many at a time.</summary>
    public const int FewRows = 20;

    private readonly HashSet<long> crowdedOut = [];
    private readonly Queue<long> order = new();
    private int relieved;

    /// <summary>Workers, without those that were given up on.</summary>
    public int Workers { get; set; }

    /// <summary>Rows leased.</summary>
    public int Rows { get; set; }

    /// <summary>Octets of messages in memory.</summary>
    public long Bytes { get; set; }

    /// <summary>Rows that the claim in the making asks for.</summary>
    public int Wanted { get; set; }

    /// <summary>Lanes that have rows and wait for a connection.</summary>
    public Queue<Lane> Waiting { get; } = new();

    /// <summary>Whether one more worker may start.</summary>
    public bool HasSlot => Workers < maxWorkers;

    /// <summary>How many workers have to go for all to have a place, those that wait included.</summary>
    public int MissingSlots => Workers + Waiting.Count - maxWorkers;

    /// <summary>How many more rows may be claimed.</summary>
    public int RoomForRows => maxRows - Rows - Wanted;

    /// <summary>Octets of messages that there is room for.</summary>
    public long RoomForBytes => maxBytes - Bytes;

    /// <summary>Whether a lane must leave room for others.</summary>
    public bool IsCrowded => crowdedOut.Count > 0 || Rows + Wanted > maxRows / 2;

    /// <summary>Whether lanes brought more rows with them than there is room for.</summary>
    public bool IsOverfull => Rows > maxRows;

    /// <summary>Whether a message may come in memory.</summary>
    public bool HasRoomFor(int rows, long octets) => Rows + rows <= maxRows && octets <= RoomForBytes;

    /// <summary>The claim is made.</summary>
    public void EndClaim() => (Wanted, relieved) = (0, 0);

    /// <summary>A lane has rows in the queue and found no room.</summary>
    public void CrowdOut(long lane)
    {
        if (crowdedOut.Add(lane)) order.Enqueue(lane);
    }

    /// <summary>
    /// The next lane that found no room, once the share is half empty, so that a claim is worth its round trip; before the next claim no more than
    /// there is room for.
    /// </summary>
    public bool TryRelieve(out long lane)
    {
        lane = 0;
        if (Rows > maxRows / 2 || relieved > (maxRows - Rows) / FewRows || !order.TryDequeue(out lane)) return false;
        relieved++;
        return crowdedOut.Remove(lane);
    }

    /// <summary>Forgets who waits.</summary>
    public void Clear()
    {
        Waiting.Clear();
        crowdedOut.Clear();
        order.Clear();
    }
}

/// <summary>
/// The shares by standing. Destinations whose last transaction was quick have half of everything; those of which nothing is known and those that
/// were slow have a quarter each. So however many hang, those that work are not kept waiting, and new ones have their try soon.
/// </summary>
internal sealed class LaneShares
{
    public LaneShares(DeliveryOptions options)
    {
        var uncertain = Math.Clamp(options.MaxUncertainConnections, 1, Math.Max(1, options.MaxConnections / 2));
        Proven = new(Math.Max(1, options.MaxConnections - uncertain), Math.Max(1, options.MaxLeased / 2), options.MaxBytesInMemory / 2);
        Unknown = Quarter();
        Slow = Quarter();
        LaneShare Quarter() => new(Math.Max(1, uncertain / 2), Math.Max(1, options.MaxLeased / 4), options.MaxBytesInMemory / 4);
    }

    public LaneShare Proven { get; }

    public LaneShare Unknown { get; }

    public LaneShare Slow { get; }

    public IEnumerable<LaneShare> All => [Proven, Unknown, Slow];
}
