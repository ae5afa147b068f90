namespace MoxApi.Bench.Measuring;

/// <summary>A measured value. Its name ends in its unit, as in <c>p99Ms</c>.</summary>
internal readonly record struct Figure(string Name, double Value)
{
    /// <summary>The name of a rate.</summary>
    public const string PerSecond = "perSecond";

    /// <summary>How many a second.</summary>
    public static Figure Rate(int count, TimeSpan elapsed) => new(PerSecond, count / elapsed.TotalSeconds);

    /// <summary>The distribution of times in milliseconds.</summary>
    public static Figure[] Times(IReadOnlyCollection<double> milliseconds, string prefix = "") =>
    [
        new(Named(prefix, "p50Ms"), Percentiles.At(milliseconds, 0.5)),
        new(Named(prefix, "p90Ms"), Percentiles.At(milliseconds, 0.9)),
        new(Named(prefix, "p99Ms"), Percentiles.At(milliseconds, 0.99)),
        new(Named(prefix, "maxMs"), Percentiles.At(milliseconds, 1)),
    ];

    private static string Named(string prefix, string name) => prefix.Length == 0 ? name : prefix + char.ToUpperInvariant(name[0]) + name[1..];
}
