using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// How much may be in hand of which destination, and which of them wait in the queue for room. Guarded by the lock of <see cref="DeliveryEngine"/>.
/// </summary>
internal sealed class LaneRoom(DeliveryOptions options, LaneShares shares, IReadOnlyDictionary<long, Lane> lanes, TimeProvider time)
{
    // A claim is one short statement, also when very many rows are due.
    private const int MostInOneClaim = 5000;

    private const int FewInHand = 5;

    /// <summary>Whether all rows of a message may come in memory, straight from their accept.</summary>
    public bool HasRoomFor(Accept accept)
    {
        var (rows, size, now) = (accept.Recipients.Count, accept.Message.Size, time.GetUtcNow());
        foreach (var recipient in accept.Recipients)
        {
            var lane = lanes.GetValueOrDefault(recipient.Row.LaneId);
            if (!ShareOf(lane).HasRoomFor(rows, size) || lane?.BlockedUntil > now || OwnRoom(lane) <= 0) return false;
        }
        return true;
    }

    /// <summary>What to claim of lanes that are due; see <see cref="DeliveryEngine.Plan"/>.</summary>
    public List<Want> Plan(IEnumerable<long> due, int atMost, Action<long, DateTimeOffset> later)
    {
        var wants = new List<Want>();
        var (now, left) = (time.GetUtcNow(), Math.Min(MostInOneClaim, atMost));
        foreach (var id in due)
        {
            var lane = lanes.GetValueOrDefault(id);
            if (lane?.BlockedUntil > now) later(id, lane.BlockedUntil);
            else if (wants.Count > 0 && left <= 0) later(id, now);
            else if (ToClaim(id, lane, left) is > 0 and var rows)
            {
                wants.Add(new(id, rows));
                left -= rows;
            }
        }
        foreach (var share in shares.All) share.EndClaim();
        return wants;
    }

    /// <summary>Whether rows of a lane were left in the queue for which there is room now. When it is half empty, so that a claim is worth its round trip.</summary>
    public bool TryCallIn(Lane lane)
    {
        if (!lane.Full || lane.Leased > Most(lane.Share) / 2 || lane.IsAbandoned) return false;
        lane.Full = false;
        return true;
    }

    /// <summary>The next lane that found no room in its share and may come now.</summary>
    public bool TryCallIn(out long lane)
    {
        foreach (var share in shares.All)
        {
            if (share.TryRelieve(out lane)) return true;
        }
        lane = 0;
        return false;
    }

    /// <summary>How many rows a worker may take in hand at a time: what it has when its server hangs, it keeps as long.</summary>
    public int InOneHand(Lane lane) => MayHang(lane.Share) ? FewInHand : int.MaxValue;

    private LaneShare ShareOf(Lane? lane) => lane?.Share ?? shares.Unknown;

    // How many rows to claim; where that is none, it is remembered that the lane wants some.
    private int ToClaim(long id, Lane? lane, int left)
    {
        var (share, own) = (ShareOf(lane), OwnRoom(lane));
        lane?.Full = own <= 0;
        if (own <= 0) return 0;
        var rows = Math.Min(own, Math.Min(left, share.RoomForRows));
        if (rows <= 0) share.CrowdOut(id);
        else share.Wanted += rows;
        return rows;
    }

    private int OwnRoom(Lane? lane) => lane is null ? Most(shares.Unknown) : lane.IsAbandoned ? 0 : Most(lane.Share) - lane.Leased;

    private int Most(LaneShare share) => MayHang(share) ? Math.Min(LaneShare.FewRows, options.MaxLeasedPerDestination) : options.MaxLeasedPerDestination;

    // Then a lane leaves room for others that want some.
    private bool MayHang(LaneShare share) => share != shares.Proven && share.IsCrowded;
}
