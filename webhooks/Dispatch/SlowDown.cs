using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>How long an endpoint that has too much to do is left alone, with all its events and by all nodes.</summary>
internal static class SlowDown
{
    /// <summary>The shortest pause of an endpoint that did not say how long.</summary>
    public static readonly TimeSpan Shortest = TimeSpan.FromSeconds(5);

    /// <summary>The longest pause of an endpoint that did not say how long.</summary>
    public static readonly TimeSpan Longest = TimeSpan.FromMinutes(5);

    /// <summary>The pause after a call; null where none is due.</summary>
    /// <param name="result">The call's.</param>
    /// <param name="failing">How long the endpoint has failed: the longer, the longer a pause.</param>
    public static TimeSpan? After(PostResult result, TimeSpan failing)
    {
        if (!result.AsksForTime) return null;
        if (result.RetryAfter is { } asked) return asked < RetrySchedule.LongestAsked ? asked : RetrySchedule.LongestAsked;
        var pause = failing / 4;
        return pause < Shortest ? Shortest : pause < Longest ? pause : Longest;
    }
}
