namespace MoxApi.Bench.Measuring;

/// <summary>A measured value. Its name ends in its unit, as in <c>p99Ms</c>.</summary>
internal readonly record struct Figure(string Name, double Value)
{
    /// <summary>The name of a rate.</summary>
    public const string PerSecond = "perSecond";

    /// <summary>How many a second.</summary>
    public static Figure Rate(int count, TimeSpan elapsed) => new(PerSecond, count / elapsed.TotalSeconds);

    /// <summary>The distribution of times in milliseconds.</summary>
    public static Figure[] Times(IReadOnlyCollection<double> milliseconds) =>
    [
        new("p50Ms", Percentiles.At(milliseconds, 0.5)),
        new("p95Ms", Percentiles.At(milliseconds, 0.95)),
        new("p99Ms", Percentiles.At(milliseconds, 0.99)),
        new("maxMs", Percentiles.At(milliseconds, 1)),
    ];
}
