using MoxApi.Migrations.Leases;
using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>What is known of an endpoint here and now, which decides how many calls it may have at a time.</summary>
internal sealed class EndpointLane
{
    /// <summary>Calls at a time for an endpoint that was not called yet.</summary>
    public const int FirstLimit = 2;

    /// <summary>The most calls at a time.</summary>
    public const int HighestLimit = 16;

    /// <summary>An endpoint that answers sooner is quick.</summary>
    public static readonly TimeSpan Quick = TimeSpan.FromSeconds(2);

    private int limit = FirstLimit;

    /// <summary>Calls under way.</summary>
    public int Running { get; set; }

    /// <summary>Calls that may start.</summary>
    public int Free => Math.Max(0, limit - Running);

    /// <summary>Whether the last call was a quick success.</summary>
    public bool IsProven { get; private set; }

    /// <summary>Learns from a call: a success makes room for one more at a time, a failure leaves one, as a probe.</summary>
    public void Learn(PostResult result)
    {
        limit = result.Succeeded ? Math.Min(limit + 1, HighestLimit) : 1;
        IsProven = result.Succeeded && result.Duration < Quick;
    }
}

/// <summary>
/// Who may be called now. Endpoints that proved to be quick and all others (slow, failing, not yet called) have half of the slots each: so
/// however many endpoints hang, those that work are posted to without delay. Not thread-safe: the dispatcher's loop owns it.
/// </summary>
internal sealed class EndpointLanes(int slotsPerHalf, Random random)
{
    // Beyond this many, what was learned of idle endpoints is forgotten.
    private const int MostKept = 20_000;

    private readonly Dictionary<long, EndpointLane> lanes = [];
    private int runningProven;
    private int runningOther;

    /// <summary>A slot that a call takes: of its endpoint, in a half.</summary>
    internal readonly record struct Slot(EndpointLane Lane, bool IsProven);

    /// <summary>How many rows to claim of which endpoints, as far as slots are free.</summary>
    public List<Want> Wants(IReadOnlyList<WaitingLane> waiting, DateTimeOffset now)
    {
        var (freeProven, freeOther) = (slotsPerHalf - runningProven, slotsPerHalf - runningOther);
        var due = waiting.Where(w => w.DueAt <= now && Of(w.LaneId).Free > 0).ToArray();
        // Where slots are short, chance is fair: the order of their rows would favour endpoints that are far behind.
        random.Shuffle(due);
        var wants = new List<Want>();
        foreach (var endpoint in due)
        {
            var lane = Of(endpoint.LaneId);
            ref var free = ref lane.IsProven ? ref freeProven : ref freeOther;
            var rows = Math.Min(lane.Free, free);
            if (rows == 0) continue;
            free -= rows;
            wants.Add(new(endpoint.LaneId, rows));
        }
        return wants;
    }

    /// <summary>The time until the next endpoint may be called that may not be yet; endpoints without a free slot wait for their calls' ends.</summary>
    public TimeSpan UntilNext(IReadOnlyList<WaitingLane> waiting, DateTimeOffset now, TimeSpan atMost)
    {
        foreach (var endpoint in waiting)
        {
            var wait = endpoint.DueAt - now;
            if (wait > TimeSpan.Zero && wait < atMost && Of(endpoint.LaneId).Free > 0) atMost = wait;
        }
        return atMost;
    }

    /// <summary>Takes a slot for a call.</summary>
    public Slot Take(long endpoint)
    {
        var slot = new Slot(Of(endpoint), Of(endpoint).IsProven);
        slot.Lane.Running++;
        Count(slot) += 1;
        return slot;
    }

    /// <summary>Gives a slot back, with what the call taught, if there was one.</summary>
    public void Return(Slot slot, PostResult? result)
    {
        slot.Lane.Running--;
        Count(slot) -= 1;
        if (result is not null) slot.Lane.Learn(result);
    }

    private ref int Count(Slot slot) => ref slot.IsProven ? ref runningProven : ref runningOther;

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
            if (lane.Running == 0) lanes.Remove(endpoint);
        }
    }
}
