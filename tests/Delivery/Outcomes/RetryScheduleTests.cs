using CsCheck;
using MoxApi.Delivery.Outcomes;
using Xunit;

namespace MoxApi.Tests.Delivery.Outcomes;

public class RetryScheduleTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset Far = Now.AddYears(1);

    [Fact]
    public void The_default_waits_are_those_of_the_manual()
    {
        Assert.Equal([1, 5, 15, 30, 60, 120, 240, 480, 720, 720], Enumerable.Range(1, 10).Select(n => Minutes(RetrySchedule.Default, n)));
        Assert.Equal(Far, RetrySchedule.Default.Next(11, Now, Far, 0.5));
    }

    [Fact]
    public void The_preset_mox_makes_8_attempts_over_16_hours()
    {
        Assert.True(RetrySchedule.TryParse("mox", out var mox));
        var waits = Enumerable.Range(1, 7).Select(n => Minutes(mox, n)).ToArray();

        Assert.Equal([7.5, 15, 30, 60, 120, 240, 480], waits);
        Assert.InRange(waits.Sum() / 60, 15.8, 16);
        Assert.Null(mox.Next(8, Now, Far, 0.5));
    }

    [Fact]
    public void Jitter_is_a_tenth_to_either_side()
    {
        Assert.Equal(Now.AddSeconds(54), RetrySchedule.Default.Next(1, Now, Far, 0));
        Assert.Equal(Now.AddSeconds(60), RetrySchedule.Default.Next(1, Now, Far, 0.5));
        Assert.InRange(RetrySchedule.Default.Next(1, Now, Far, 0.999999)!.Value, Now.AddSeconds(65.9), Now.AddSeconds(66));
    }

    [Fact]
    public void The_last_attempt_is_at_expiry_and_none_comes_after_it()
    {
        Assert.Equal(Now.AddSeconds(30), RetrySchedule.Default.Next(1, Now, Now.AddSeconds(30), 0.5));
        Assert.Null(RetrySchedule.Default.Next(2, Now, Now, 0.5));
        Assert.Null(RetrySchedule.Default.Next(2, Now.AddSeconds(1), Now, 0.5));
    }

    [Fact]
    public void A_schedule_walked_to_its_end_stays_within_48_hours()
    {
        var (at, expiry, attempts) = (Now, Now.AddHours(48), 1);
        while (RetrySchedule.Default.Next(attempts, at, expiry, 0.5) is { } next)
        {
            Assert.True(next > at);
            at = next;
            attempts++;
        }

        Assert.Equal(expiry, at);
        Assert.Equal(12, attempts);
    }

    [Theory, InlineData("1s"), InlineData("30s 5m 1h"), InlineData(" 7d "), InlineData("default")]
    public void Waits_are_read(string text) => Assert.True(RetrySchedule.TryParse(text, out _));

    [Theory, InlineData(""), InlineData(" "), InlineData("s"), InlineData("5"), InlineData("0s"), InlineData("-1m"), InlineData("8d"), InlineData("1w"), InlineData("99999999999s"), InlineData("1m,5m")]
    public void Other_texts_are_refused(string text) => Assert.False(RetrySchedule.TryParse(text, out _));

    [Fact]
    public void No_more_than_50_waits_are_taken()
    {
        Assert.True(RetrySchedule.TryParse(string.Join(' ', Enumerable.Repeat("1m", 50)), out _));
        Assert.False(RetrySchedule.TryParse(string.Join(' ', Enumerable.Repeat("1m", 51)), out _));
    }

    [Fact]
    public void Any_text_is_refused_or_makes_waits_of_one_second_to_seven_days()
    {
        var word = Gen.Frequency((3, Gen.Select(Gen.Int[0, 700_000], Gen.Char["smhd"], (number, unit) => $"{number}{unit}")), (1, Gen.Char["0159smhdw +-.,٣"].Array[0, 12].Select(c => new string(c))));
        var read = 0;
        word.Array[0, 4].Select(words => string.Join(' ', words)).ForEach(5000, text =>
        {
            if (!RetrySchedule.TryParse(text, out var schedule)) return;
            read++;
            var words = text.Split(' ', StringSplitOptions.RemoveEmptyEntries).Length;
            for (var attempts = 1; attempts <= words; attempts++)
                Assert.InRange(schedule.Next(attempts, Now, Far, 0.5)!.Value - Now, TimeSpan.FromSeconds(1), TimeSpan.FromDays(7));
            Assert.Equal(Far, schedule.Next(words + 1, Now, Far, 0.5));
        });
        Assert.InRange(read, 100, 4900);
    }

    private static double Minutes(RetrySchedule schedule, int attempts) => (schedule.Next(attempts, Now, Far, 0.5)!.Value - Now).TotalMinutes;
}
