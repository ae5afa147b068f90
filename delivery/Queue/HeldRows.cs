namespace MoxApi.Delivery.Queue;

/// <summary>
/// The rows leased to this node, each as often as it came and was not let go of. A row that was given back is let go of only after that is committed; by then the
/// loop may have claimed it anew under the same session, and it stays held. Guarded by the lock of <see cref="DeliveryEngine"/>.
/// </summary>
internal sealed class HeldRows
{
    private readonly Dictionary<(long Id, long Lease), int> times = [];

    /// <summary>Rows held.</summary>
    public int Count => times.Count;

    /// <summary>A row came.</summary>
    public void Add(long id, long lease) => times[(id, lease)] = times.GetValueOrDefault((id, lease)) + 1;

    /// <summary>A row that came is let go of.</summary>
    public void Remove(long id, long lease)
    {
        var left = times.GetValueOrDefault((id, lease)) - 1;
        if (left > 0) times[(id, lease)] = left;
        else times.Remove((id, lease));
    }

    /// <summary>Whether a row is held.</summary>
    public bool Contains(long id, long lease) => times.ContainsKey((id, lease));
}
