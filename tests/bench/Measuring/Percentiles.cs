namespace MoxApi.Bench.Measuring;

/// <summary>Order statistics of measured values.</summary>
internal static class Percentiles
{
    /// <summary>The value that a share of all values do not exceed (nearest rank), so one that was measured.</summary>
    /// <param name="values">At least one; in any order.</param>
    /// <param name="share">0 to 1, such as 0.99.</param>
    public static double At(IEnumerable<double> values, double share)
    {
        var ordered = values.Order().ToArray();
        return ordered[Math.Clamp((int)Math.Ceiling(share * ordered.Length) - 1, 0, ordered.Length - 1)];
    }

    /// <summary>The value in the middle; of an even number of values the mean of the two there.</summary>
    public static double Median(IEnumerable<double> values)
    {
        var ordered = values.Order().ToArray();
        return (ordered[(ordered.Length - 1) / 2] + ordered[ordered.Length / 2]) / 2;
    }
}
