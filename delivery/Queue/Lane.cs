using MoxApi.Mail.Addresses;

namespace MoxApi.Delivery.Queue;

/// <summary>A row that waits in memory for a connection.</summary>
/// <param name="Id">The recipient.</param>
/// <param name="Lease">The session it is leased to.</param>
/// <param name="Loaded">All of it, where it came straight from its accept.</param>
/// <param name="Bytes">The share of its message's octets that it keeps in memory, since its accept or since a worker has read it.</param>
/// <param name="IsSuspect">Whether it came back from a session that died with it.</param>
internal readonly record struct ReadyRow(long Id, long Lease, QueuedRecipient? Loaded, long Bytes, bool IsSuspect = false);

/// <summary>A destination on this node: the rows in hand, and how it fares. Guarded by the lock of <see cref="DeliveryEngine"/>.</summary>
internal sealed class Lane(long id, MailDomain domain, LaneShare share)
{
    private static readonly TimeSpan LongestBlock = TimeSpan.FromSeconds(60);

    private long bytes;

    public long Id { get; } = id;
    public MailDomain Domain { get; } = domain;

    /// <summary>Rows that wait for a connection.</summary>
    public Queue<ReadyRow> Ready { get; } = new();

    /// <summary>Rows that connections have in hand.</summary>
    public int InHand { get; private set; }

    /// <summary>What it shares with others of its standing: those that proved to be quick, those that were slow, and those of which nothing is known.</summary>
    public LaneShare Share { get; private set; } = share;

    /// <summary>Workers at it, each with a connection or about to open one.</summary>
    public int Workers { get; private set; }

    /// <summary>Of these, the ones that were given up on and end when their server answers.</summary>
    public int Leaving { get; private set; }

    /// <summary>Workers that are about to take rows: see <see cref="WorkerSlot.IsIdle"/>.</summary>
    public int Idle { get; set; }

    /// <summary>Completes when rows come.</summary>
    public TaskCompletionSource Arrival { get; set; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

    /// <summary>Whether rows of it were left unclaimed because it has as many as it may.</summary>
    public bool Full { get; set; }

    /// <summary>Whether it waits for a slot.</summary>
    public bool Waiting { get; set; }

    /// <summary>Whether all its workers were given up on.</summary>
    public bool IsAbandoned => Leaving > 0 && Leaving == Workers;

    /// <summary>Failed walks over its hosts in a row.</summary>
    public int Failures { get; private set; }

    /// <summary>Until when nothing is claimed for it.</summary>
    public DateTimeOffset BlockedUntil { get; private set; }

    /// <summary>Rows leased.</summary>
    public int Leased => Ready.Count + InHand;

    /// <summary>Rows came.</summary>
    public void Add(ReadyRow row)
    {
        Ready.Enqueue(row);
        Count(1, row.Bytes);
    }

    /// <summary>A worker takes the next row in hand.</summary>
    public ReadyRow Take()
    {
        InHand++;
        return Ready.Dequeue();
    }

    /// <summary>A worker has read the message of a row that it has in hand.</summary>
    public ReadyRow Load(ReadyRow row, long octets)
    {
        Count(0, octets);
        return row with { Bytes = row.Bytes + octets };
    }

    /// <summary>A worker lets a row wait again.</summary>
    public void PutBack(ReadyRow row)
    {
        InHand--;
        Ready.Enqueue(row);
    }

    /// <summary>A worker is done with a row.</summary>
    public void Done(ReadyRow row)
    {
        InHand--;
        Count(-1, -row.Bytes);
    }

    /// <summary>Takes the rows out that no worker has in hand.</summary>
    public List<ReadyRow> Shed()
    {
        List<ReadyRow> rows = [.. Ready];
        Ready.Clear();
        Count(-rows.Count, -rows.Sum(r => r.Bytes));
        return rows;
    }

    /// <summary>Drops the messages of rows that wait; they are read again when their turn comes. Returns their octets.</summary>
    public long Unload()
    {
        var freed = 0L;
        for (var left = Ready.Count; left > 0; left--)
        {
            var row = Ready.Dequeue();
            freed += row.Bytes;
            Ready.Enqueue(row with { Loaded = null, Bytes = 0 });
        }
        Count(0, -freed);
        return freed;
    }

    /// <summary>A worker starts.</summary>
    public void Join() => (Workers, Share.Workers) = (Workers + 1, Share.Workers + 1);

    /// <summary>A worker was given up on: its place is free from now on.</summary>
    public void Abandon() => (Leaving, Share.Workers) = (Leaving + 1, Share.Workers - 1);

    /// <summary>A worker has ended.</summary>
    public void Leave(bool wasGivenUp)
    {
        Workers--;
        if (wasGivenUp) Leaving--;
        else Share.Workers--;
    }

    /// <summary>Its standing has changed: it takes what it has with it.</summary>
    public void MoveTo(LaneShare share)
    {
        Share.Workers -= Workers - Leaving;
        (Share.Rows, Share.Bytes) = (Share.Rows - Leased, Share.Bytes - bytes);
        Share = share;
        Share.Workers += Workers - Leaving;
        (Share.Rows, Share.Bytes) = (Share.Rows + Leased, Share.Bytes + bytes);
    }

    /// <summary>A server has answered.</summary>
    public void Answered()
    {
        Failures = 0;
        BlockedUntil = default;
    }

    /// <summary>No server took a connection: wait 1 s, and twice as long each time, to a minute; without the time, not at all.</summary>
    public void Failed(DateTimeOffset? now)
    {
        if (now is not { } from) return;
        var wait = TimeSpan.FromSeconds(1 << Math.Min(Failures++, 6));
        BlockedUntil = from + (wait < LongestBlock ? wait : LongestBlock);
    }

    private void Count(int rows, long octets)
    {
        bytes += octets;
        (Share.Rows, Share.Bytes) = (Share.Rows + rows, Share.Bytes + octets);
    }
}
