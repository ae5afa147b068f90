using MoxApi.Migrations.Leases;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>A claimed row that takes a slot in one of the halves.</summary>
internal readonly record struct Held(DueDelivery Due, EndpointLane Lane, bool IsProven);

/// <summary>
/// Who may be called now. Endpoints that proved to be quick and all others (slow, failing, not yet called) have half of the slots each: so
/// however many endpoints hang, those that work are posted to without delay. Not thread-safe: whoever owns it locks.
/// </summary>
internal sealed class EndpointLanes(int slotsPerHalf, Random random)
{
    // Beyond this many, what was learned of idle endpoints is forgotten.
    private const int MostKept = 20_000;

    private readonly Dictionary<long, EndpointLane> lanes = [];
    private int heldProven;
    private int heldOther;
    private bool isShort;

    /// <summary>How many rows to claim of which endpoints, as far as slots are free.</summary>
    public List<Want> Wants(IReadOnlyList<WaitingLane> waiting, DateTimeOffset now)
    {
        var (freeProven, freeOther) = (slotsPerHalf - heldProven, slotsPerHalf - heldOther);
        var due = waiting.Where(w => w.DueAt <= now).ToArray();
        // Where slots are short, chance is fair: the order of their rows would favour endpoints that are far behind.
        random.Shuffle(due);
        isShort = false;
        var wants = new List<Want>();
        foreach (var endpoint in due)
        {
            var lane = Of(endpoint.LaneId);
            lane.HasMore = true;
            ref var free = ref lane.IsProven ? ref freeProven : ref freeOther;
            var room = lane.Room(mayHoldAhead: free * 2 > slotsPerHalf);
            var rows = Math.Min(room, free);
            isShort |= rows < room;
            if (rows == 0) continue;
            free -= rows;
            wants.Add(new(endpoint.LaneId, rows));
        }
        return wants;
    }

    /// <summary>Learns from a claim: an endpoint that gave less than was wanted has no more rows.</summary>
    public void Learn(List<Want> wants, IEnumerable<LeasedRow> claimed)
    {
        var given = claimed.CountBy(row => row.LaneId).ToDictionary();
        foreach (var want in wants) Of(want.LaneId).HasMore = given.GetValueOrDefault(want.LaneId) == want.Rows;
    }

    /// <summary>The time until the next endpoint may be called that may not be yet.</summary>
    public static TimeSpan UntilNext(IReadOnlyList<WaitingLane> waiting, DateTimeOffset now, TimeSpan atMost) =>
        waiting.Select(w => w.DueAt - now).Where(wait => wait > TimeSpan.Zero).Append(atMost).Min();

    /// <summary>Takes a slot for a claimed row, and the row in hand.</summary>
    public EndpointLane Add(DueDelivery due)
    {
        var lane = Of(due.Row.LaneId);
        var row = new Held(due, lane, lane.IsProven);
        lane.InHand++;
        Count(row) += 1;
        lane.Add(row);
        return lane;
    }

    /// <summary>Gives back the slot of a row whose call ended.</summary>
    public void End(Held row)
    {
        row.Lane.End();
        Return(row);
    }

    /// <summary>Whether a look at what waits may find work for this endpoint, or for one that found no slot.</summary>
    public bool MayClaimFor(EndpointLane lane) => isShort || (lane.HasMore && lane.Room(mayHoldAhead: true) > 0);

    /// <summary>The rows in hand whose call has not begun.</summary>
    public IEnumerable<long> Ready => lanes.Values.SelectMany(lane => lane.Ready).Select(row => row.Due.Row.Id);

    /// <summary>Takes all rows whose call has not begun out of hand.</summary>
    public List<LeasedRow> TakeReady() => [.. lanes.Values.SelectMany(TakeReady)];

    /// <summary>Takes those of one endpoint out of hand.</summary>
    public List<LeasedRow> TakeReady(EndpointLane lane)
    {
        var ready = lane.TakeReady().ToList();
        ready.ForEach(Return);
        return ready.ConvertAll(row => row.Due.Row);
    }

    private void Return(Held row)
    {
        row.Lane.InHand--;
        Count(row) -= 1;
    }

    private ref int Count(Held row) => ref row.IsProven ? ref heldProven : ref heldOther;

    private EndpointLane Of(long endpoint)
    {
        if (lanes.TryGetValue(endpoint, out var lane)) return lane;
        if (lanes.Count >= MostKept) ForgetIdle();
        return lanes[endpoint] = new();
    }

    private void ForgetIdle()
    {
        foreach (var (endpoint, lane) in lanes)
        {
            if (lane.InHand == 0) lanes.Remove(endpoint);
        }
    }
}
