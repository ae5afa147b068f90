using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>What is known of an endpoint here and now, which decides how many calls it may have at a time; and its rows in hand.</summary>
internal sealed class EndpointLane
{
    /// <summary>Calls at a time for an endpoint that was not called yet.</summary>
    public const int FirstLimit = 2;

    /// <summary>The most calls at a time.</summary>
    public const int HighestLimit = 24;

    /// <summary>The most for one that answers slowly, however well: several such endpoints of one account would have all slots that there are for such.</summary>
    public const int SlowLimit = 4;

    // So often as many rows as calls are held of an endpoint that is quick: it need not wait for PostgreSQL between two calls, and claims come in batches.
    private const int Ahead = 3;

    /// <summary>An endpoint that answers sooner is quick.</summary>
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(2);

    private readonly Queue<Held> ready = new();
    private int limit = FirstLimit;
    private int calls;

    /// <summary>Rows in hand: ready or being posted.</summary>
    public int InHand { get; set; }

    /// <summary>The rows whose call has not begun.</summary>
    public IEnumerable<Held> Ready => ready;

    /// <summary>Whether the last call was a quick success.</summary>
    public bool IsProven { get; private set; }

    /// <summary>Whether more rows than are in hand may be due.</summary>
    public bool HasMore { get; set; }

    /// <summary>Rows to claim now. Of those held ahead, none until a batch is worth its statements.</summary>
    /// <param name="mayHoldAhead">Whether there is room for rows whose call cannot begin at once.</param>
    public int Room(bool mayHoldAhead)
    {
        if (!IsProven || !mayHoldAhead) return Math.Max(0, limit - InHand);
        var room = (limit * Ahead) - InHand;
        return room >= limit ? room : 0;
    }

    /// <summary>Adds a row that is ready to be posted.</summary>
    public void Add(Held row) => ready.Enqueue(row);

    /// <summary>Takes the next row whose call may begin.</summary>
    public bool TryBegin(out Held row)
    {
        row = default;
        if (calls >= limit || !ready.TryDequeue(out row)) return false;
        calls++;
        return true;
    }

    /// <summary>Learns from a call: a success makes room for one more at a time, of those that a quick or a slow endpoint may have; a failure leaves one, as a probe.</summary>
    public void Learn(PostResult result)
    {
        IsProven = result.Succeeded && result.Duration < Quick;
        limit = result.Succeeded ? Math.Min(limit + 1, IsProven ? HighestLimit : SlowLimit) : 1;
    }

    /// <summary>Makes room for the next call.</summary>
    public void End() => calls--;

    /// <summary>Takes all rows whose call has not begun.</summary>
    public IEnumerable<Held> TakeReady()
    {
        while (ready.TryDequeue(out var row)) yield return row;
    }
}
