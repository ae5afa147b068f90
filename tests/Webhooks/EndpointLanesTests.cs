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

    private readonly EndpointLanes lanes = new(20, new Random(1));

    [Fact]
    public void An_endpoint_starts_with_two_calls_and_each_success_adds_one_up_to_sixteen()
    {
        Assert.Equal(2, WantOf(1));
        Call(1, Success);
        Assert.Equal(3, WantOf(1));
        for (var i = 0; i < 40; i++) Call(1, Success);
        Assert.Equal(16, WantOf(1));
    }

    [Fact]
    public void After_a_failure_an_endpoint_is_probed_with_one_call_at_a_time()
    {
        for (var i = 0; i < 5; i++) Call(1, Success);
        Call(1, Failure);

        Assert.Equal(1, WantOf(1));
        var probe = lanes.Take(1);
        Assert.Equal(0, WantOf(1));
        lanes.Return(probe, Success);
        Assert.Equal(2, WantOf(1));
    }

    [Fact]
    public void Endpoints_that_hang_leave_half_of_the_slots_to_those_that_work()
    {
        Call(1, Success);
        for (var endpoint = 100; endpoint < 200; endpoint++)
        {
            for (var n = WantOf(endpoint); n > 0; n--) lanes.Take(endpoint);
        }

        Assert.Equal(0, WantOf(200));
        Assert.Equal(3, WantOf(1));
    }

    [Fact]
    public void A_slow_endpoint_is_not_among_those_that_work_however_it_answers()
    {
        Call(1, Success);
        Call(2, SlowSuccess);
        for (var endpoint = 100; endpoint < 200; endpoint++)
        {
            for (var n = WantOf(endpoint); n > 0; n--) lanes.Take(endpoint);
        }

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
    public void The_loop_waits_for_the_first_row_that_it_could_post()
    {
        lanes.Take(2);
        lanes.Take(2);
        WaitingLane[] waiting = [new(1, Now.AddSeconds(7)), new(2, Now.AddSeconds(3)), new(3, Now.AddSeconds(-1)), new(4, Now.AddHours(1))];

        Assert.Equal(TimeSpan.FromSeconds(7), lanes.UntilNext(waiting, Now, TimeSpan.FromSeconds(10)));
        Assert.Equal(TimeSpan.FromSeconds(2), lanes.UntilNext(waiting, Now, TimeSpan.FromSeconds(2)));
    }

    private void Call(long endpoint, PostResult result) => lanes.Return(lanes.Take(endpoint), result);

    private int WantOf(long endpoint) => lanes.Wants([new(endpoint, Now)], Now).SingleOrDefault().Rows;
}
