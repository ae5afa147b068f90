namespace MoxApi.Webhooks.Dispatch;

/// <summary>When a delivery that failed is tried again. The first attempt is made at once; each gap follows a failed attempt.</summary>
public static class RetrySchedule
{
    /// <summary>The longest wait that an endpoint can ask for with <c>Retry-After</c>.</summary>
    public static readonly TimeSpan LongestAsked = TimeSpan.FromHours(24);

    /// <summary>The gaps: eleven attempts over a little more than three days.</summary>
    public static IReadOnlyList<TimeSpan> Gaps { get; } =
    [
        TimeSpan.FromSeconds(5),
        TimeSpan.FromMinutes(1),
        TimeSpan.FromMinutes(5),
        TimeSpan.FromMinutes(30),
        TimeSpan.FromHours(2),
        TimeSpan.FromHours(5),
        TimeSpan.FromHours(10),
        TimeSpan.FromHours(14),
        TimeSpan.FromHours(20),
        TimeSpan.FromHours(24),
    ];

    /// <summary>How far a gap may be stretched or shrunk, so that what failed together does not come back together.</summary>
    public const double Jitter = 0.1;

    /// <summary>The wait before the next attempt; null after the last.</summary>
    /// <param name="attempts">Attempts made, the one that just failed included.</param>
    /// <param name="asked">What the endpoint asked for; it can lengthen a gap, not shorten it.</param>
    /// <param name="random">The source of jitter.</param>
    public static TimeSpan? NextGap(int attempts, TimeSpan? asked, Random random)
    {
        if (attempts > Gaps.Count) return null;
        var gap = Gaps[attempts - 1] * (1 - Jitter + (2 * Jitter * random.NextDouble()));
        if (asked is not { } wait || wait <= gap) return gap;
        // What was asked for is only stretched: coming earlier would be refused again.
        wait *= 1 + (Jitter * random.NextDouble());
        return wait < LongestAsked ? wait : LongestAsked;
    }
}
