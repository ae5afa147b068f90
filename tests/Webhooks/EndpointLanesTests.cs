using MoxApi.Migrations.Leases;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Posting;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public class EndpointLanesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);
    private static readonly PostResult Success = new(204, null, TimeSpan.FromMilliseconds(20));
    private static readonly PostResult SlowSuccess = new(200, null, TimeSpan.FromSeconds(9));
    private static readonly PostResult Failure = new(500, "The endpoint answered 500", TimeSpan.FromMilliseconds(20));

    private EndpointLanes lanes = new(20, new Random(1));

    [Fact]
    public void An_endpoint_starts_with_two_calls_and_each_success_adds_one_up_to_twenty_four()
    {
        Assert.Equal(2, CallsOf(1));
        Call(1, Success);
        Assert.Equal(3, CallsOf(1));
        for (var i = 0; i < 40; i++) Call(1, Success);
        Assert.Equal(24, CallsOf(1));
    }

    [Fact]
    public void A_slow_success_leaves_an_endpoint_no_more_than_four_calls()
    {
        for (var i = 0; i < 40; i++) Call(1, SlowSuccess);
        Assert.Equal(4, CallsOf(1));
        for (var i = 0; i < 40; i++) Call(1, Success);
        Call(1, SlowSuccess);
        Assert.Equal(4, CallsOf(1));
    }

    [Fact]
    public void After_a_failure_an_endpoint_is_probed_with_one_call_at_a_time()
    {
        for (var i = 0; i < 5; i++) Call(1, Success);
        Call(1, Failure);

        Assert.Equal(1, WantOf(1));
        var probe = Begin(1);
        Assert.Equal(0, WantOf(1));
        End(probe, Success);
        Assert.True(WantOf(1) >= 2);
    }

    [Fact]
    public void Of_a_quick_endpoint_rows_are_held_ahead_and_claimed_in_batches()
    {
        lanes = new(200, new Random(1)); // so that slots are not short
        for (var i = 0; i < 4; i++) Call(1, Success); // six calls at a time
        Assert.Equal(18, WantOf(1));
        var calls = Enumerable.Range(0, 6).Select(_ => Begin(1)).ToList();
        Assert.Equal(12, WantOf(1));
        for (var i = 0; i < 7; i++) lanes.Add(Due(1));

        Assert.Equal(0, WantOf(1)); // five would fit
        calls.ForEach(call => End(call, SlowSuccess));
        Assert.Equal(0, WantOf(1)); // of one that became slow, as many as there are calls: four
    }

    [Fact]
    public void A_failure_takes_the_rows_held_ahead_out_of_hand()
    {
        Call(1, Success);
        var failing = Begin(1);
        var ahead = Due(1);
        lanes.Add(ahead);
        Assert.Equal([ahead.Row.Id], lanes.Ready);

        failing.Lane.Learn(Failure);
        Assert.Equal([ahead.Row], lanes.TakeReady(failing.Lane));
        lanes.End(failing);

        Assert.Equal(1, WantOf(1));
        Assert.Empty(lanes.Ready);
    }

    [Fact]
    public void The_loop_is_woken_only_where_more_rows_may_be_claimed()
    {
        Call(1, Success);
        var call = Begin(1);
        Assert.False(lanes.MayClaimFor(call.Lane));

        var wants = lanes.Wants([new(1, Now)], Now);
        lanes.Learn(wants, [new(7, 1, 0, 0)]);
        Assert.False(lanes.MayClaimFor(call.Lane)); // it gave less than was wanted

        lanes.Learn(wants, Enumerable.Range(0, wants[0].Rows).Select(n => new LeasedRow(n, 1, 0, 0)));
        Assert.True(lanes.MayClaimFor(call.Lane));
    }

    [Fact]
    public void Endpoints_that_hang_leave_half_of_the_slots_to_those_that_work()
    {
        Call(1, Success);
        Hang();

        Assert.Equal(0, WantOf(200));
        Assert.True(WantOf(1) >= 3);
    }

    [Fact]
    public void A_slow_endpoint_is_not_among_those_that_work_however_it_answers()
    {
        Call(1, Success);
        Call(2, SlowSuccess);
        Hang();

        Assert.Equal(0, WantOf(2));
        Assert.True(WantOf(1) > 0);
    }

    [Fact]
    public void Slots_are_not_promised_twice_within_a_claim()
    {
        var wants = lanes.Wants([.. Enumerable.Range(1, 50).Select(n => new WaitingLane(n, Now))], Now);

        Assert.Equal(20, wants.Sum(w => w.Rows));
    }

    [Fact]
    public void Where_slots_are_short_nothing_is_held_ahead()
    {
        for (var endpoint = 1; endpoint <= 5; endpoint++) Call(endpoint, Success);
        for (var endpoint = 2; endpoint <= 5; endpoint++)
        {
            for (var i = 0; i < 3; i++) Begin(endpoint);
        }

        Assert.Equal(3, WantOf(1));
    }

    [Fact]
    public void The_loop_waits_for_the_first_row_that_is_due_later()
    {
        WaitingLane[] waiting = [new(1, Now.AddSeconds(7)), new(3, Now.AddSeconds(-1)), new(4, Now.AddHours(1))];

        Assert.Equal(TimeSpan.FromSeconds(7), EndpointLanes.UntilNext(waiting, Now, TimeSpan.FromSeconds(10)));
        Assert.Equal(TimeSpan.FromSeconds(2), EndpointLanes.UntilNext(waiting, Now, TimeSpan.FromSeconds(2)));
    }

    private void Hang()
    {
        for (var endpoint = 100; endpoint < 200; endpoint++)
        {
            for (var n = WantOf(endpoint); n > 0; n--) Begin(endpoint);
        }
    }

    private void Call(long endpoint, PostResult result) => End(Begin(endpoint), result);

    private Held Begin(long endpoint)
    {
        var lane = lanes.Add(Due(endpoint));
        Assert.True(lane.TryBegin(out var row));
        return row;
    }

    private void End(Held row, PostResult result)
    {
        row.Lane.Learn(result);
        lanes.End(row);
    }

    // As many calls as the endpoint may have at a time.
    private int CallsOf(long endpoint)
    {
        var rows = new List<Held>();
        EndpointLane lane;
        do
        {
            lane = lanes.Add(Due(endpoint));
            if (lane.TryBegin(out var row)) rows.Add(row);
        }
        while (!lane.Ready.Any());
        lanes.TakeReady(lane);
        rows.ForEach(lanes.End);
        return rows.Count;
    }

    private static DueDelivery Due(long endpoint) => new(new(Random.Shared.NextInt64(), endpoint, 0, 0), null, null, false);

    private int WantOf(long endpoint) => lanes.Wants([new(endpoint, Now)], Now).SingleOrDefault().Rows;
}
