using MoxApi.Delivery;
using MoxApi.Delivery.Queue;
using MoxApi.Mail.Addresses;
using Xunit;

namespace MoxApi.Tests.Delivery.Queue;

public class DueLanesTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    [Fact]
    public void A_lane_keeps_its_earliest_time()
    {
        var due = new DueLanes();

        due.Note(1, Now.AddSeconds(5));
        due.Note(1, Now.AddSeconds(9));
        Assert.Equal(Now.AddSeconds(5), due.First);
        due.Note(1, Now.AddSeconds(2));

        Assert.Equal(Now.AddSeconds(2), due.First);
        Assert.Equal([1], due.Take(Now.AddSeconds(10)));
        Assert.Null(due.First);
        Assert.Empty(due.Take(Now.AddSeconds(10)));
    }

    [Fact]
    public void What_is_due_comes_in_the_order_of_time_and_the_rest_stays()
    {
        var due = new DueLanes();
        due.Note(1, Now.AddSeconds(3));
        due.Note(2, Now.AddSeconds(1));
        due.Note(3, Now.AddSeconds(1));
        due.Note(4, Now.AddSeconds(7));

        Assert.Equal([2, 3, 1], due.Take(Now.AddSeconds(3)));
        Assert.Equal(Now.AddSeconds(7), due.First);
    }

    [Fact]
    public void Failures_in_a_row_block_a_lane_for_1_2_4_seconds_up_to_a_minute()
    {
        var lane = new Lane(1, MailDomain.Parse("example.org"), new LaneShares(new DeliveryOptions()).Unknown);
        var waits = new List<double>();
        for (var i = 0; i < 8; i++)
        {
            lane.Failed(Now);
            waits.Add((lane.BlockedUntil - Now).TotalSeconds);
        }
        Assert.Equal([1, 2, 4, 8, 16, 32, 60, 60], waits);

        lane.Answered();

        Assert.True(lane.Failures == 0 && lane.BlockedUntil < Now);
        lane.Failed(null);
        Assert.True(lane.BlockedUntil < Now);
    }
}
