namespace MoxApi.Delivery.Queue;

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
