using MoxApi.Mail.Addresses;

namespace MoxApi.Delivery.Queue;

/// <summary>A row that waits in memory for a connection.</summary>
/// <param name="Id">The recipient.</param>
/// <param name="Lease">The session it is leased to.</param>
/// <param name="Loaded">All of it, where it came straight from its accept.</param>
/// <param name="Bytes">The share of its message's octets that it keeps in memory.</param>
internal readonly record struct ReadyRow(long Id, long Lease, QueuedRecipient? Loaded, long Bytes);

/// <summary>A destination on this node: the rows in hand, and how it fares. Guarded by the lock of <see cref="DeliveryEngine"/>.</summary>
internal sealed class Lane(long id, MailDomain domain)
{
    private static readonly TimeSpan LongestBlock = TimeSpan.FromSeconds(60);

    public long Id { get; } = id;
    public MailDomain Domain { get; } = domain;

    /// <summary>Rows that wait for a connection.</summary>
    public Queue<ReadyRow> Ready { get; } = new();

    /// <summary>Rows that connections have in hand.</summary>
    public int InHand { get; set; }

    /// <summary>Workers at it, each with a connection or about to open one.</summary>
    public int Workers { get; set; }

    /// <summary>Workers that hold a connection and wait for rows.</summary>
    public int Idle { get; set; }

    /// <summary>Completes when rows come.</summary>
    public TaskCompletionSource Arrival { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether rows of it were left unclaimed because it has as many as it may.</summary>
    public bool Full { get; set; }

    /// <summary>Whether it waits for a slot.</summary>
    public bool Waiting { get; set; }

    /// <summary>Whether the last connection that was tried came about.</summary>
    public bool Proven { get; private set; }

    /// <summary>Failed walks over its hosts in a row.</summary>
    public int Failures { get; private set; }

    /// <summary>Until when nothing is claimed for it.</summary>
    public DateTimeOffset BlockedUntil { get; private set; }

    /// <summary>Rows leased.</summary>
    public int Leased => Ready.Count + InHand;

    /// <summary>A connection came about.</summary>
    public void Succeeded()
    {
        Proven = true;
        Failures = 0;
        BlockedUntil = default;
    }

    /// <summary>No server took a connection: wait 1 s, and twice as long each time, to a minute; without the time, not at all.</summary>
    public void Failed(DateTimeOffset? now)
    {
        Proven = false;
        if (now is not { } from) return;
        var wait = TimeSpan.FromSeconds(1 << Math.Min(Failures++, 6));
        BlockedUntil = from + (wait < LongestBlock ? wait : LongestBlock);
    }
}

/// <summary>Lanes by the time their next row is due: what a claim asks for, and when the next one is worth it.</summary>
internal sealed class DueLanes
{
    private readonly SortedSet<(DateTimeOffset Due, long Lane)> byTime = [];
    private readonly Dictionary<long, DateTimeOffset> byLane = [];

    /// <summary>The earliest due time; null when nothing is known to wait.</summary>
    public DateTimeOffset? First => byTime.Count > 0 ? byTime.Min.Due : null;

    /// <summary>A lane has a row due at this time, or earlier as noted before.</summary>
    public void Note(long lane, DateTimeOffset due)
    {
        if (byLane.TryGetValue(lane, out var known))
        {
            if (known <= due) return;
            byTime.Remove((known, lane));
        }
        byLane[lane] = due;
        byTime.Add((due, lane));
    }

    /// <summary>Takes the lanes that are due out.</summary>
    public List<long> Take(DateTimeOffset now)
    {
        var due = new List<long>();
        while (byTime.Count > 0 && byTime.Min is var first && first.Due <= now)
        {
            byTime.Remove(first);
            byLane.Remove(first.Lane);
            due.Add(first.Lane);
        }
        return due;
    }
}
