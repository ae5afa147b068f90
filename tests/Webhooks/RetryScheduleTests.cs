using MoxApi.Webhooks.Dispatch;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public class RetryScheduleTests
{
    private readonly Random random = new(1);

    [Fact]
    public void The_gaps_are_those_that_were_promised() => Assert.Equal(
        ["0:00:05", "0:01:00", "0:05:00", "0:30:00", "2:00:00", "5:00:00", "10:00:00", "14:00:00", "20:00:00", "1:0:00:00"],
        RetrySchedule.Gaps.Select(gap => gap.ToString("g", System.Globalization.CultureInfo.InvariantCulture)));

    [Fact]
    public void Each_attempt_but_the_last_is_followed_by_its_gap_give_or_take_a_tenth()
    {
        for (var attempts = 1; attempts <= 10; attempts++)
        {
            var gaps = Enumerable.Range(0, 200).Select(_ => RetrySchedule.NextGap(attempts, null, random)!.Value).ToArray();
            var promised = RetrySchedule.Gaps[attempts - 1];
            Assert.All(gaps, gap => Assert.InRange(gap, promised * 0.9, promised * 1.1));
            Assert.True(gaps.Distinct().Count() > 100, "The gaps are jittered.");
        }
        Assert.Null(RetrySchedule.NextGap(11, null, random));
    }

    [Fact]
    public void An_endpoint_can_lengthen_a_gap_but_not_shorten_it()
    {
        Assert.InRange(RetrySchedule.NextGap(1, TimeSpan.FromMinutes(2), random)!.Value, TimeSpan.FromMinutes(2), TimeSpan.FromMinutes(2.2));
        Assert.InRange(RetrySchedule.NextGap(4, TimeSpan.FromSeconds(1), random)!.Value, TimeSpan.FromMinutes(27), TimeSpan.FromMinutes(33));
    }

    [Theory]
    [InlineData(25)]
    [InlineData(24 * 365)]
    public void An_endpoint_cannot_ask_for_more_than_a_day(int hours) =>
        Assert.Equal(TimeSpan.FromHours(24), RetrySchedule.NextGap(1, TimeSpan.FromHours(hours), random));

    [Fact]
    public void An_endpoint_cannot_ask_for_another_attempt_after_the_last() => Assert.Null(RetrySchedule.NextGap(11, TimeSpan.FromHours(1), random));
}
