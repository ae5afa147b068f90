using System.Diagnostics.Metrics;

namespace MoxApi.Migrations.Writing;

/// <summary>What group commit measures, under the meter <c>MoxApi.Writing</c>.</summary>
internal sealed class CommitMetrics(string writer)
{
    // Static, since writers come and go in tests, and an instrument is known by its name.
    private static readonly Meter Meter = new("MoxApi.Writing");

    private static readonly Histogram<int> Size = Meter.CreateHistogram(
        "moxapi_commit_size", null, "Writes that went into one commit.", null, new InstrumentAdvice<int> { HistogramBucketBoundaries = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000] });

    private static readonly Histogram<double> Wait = Meter.CreateHistogram(
        "moxapi_commit_wait", "s", "From handing in the first write of a commit until it was committed.", null,
        new InstrumentAdvice<double> { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30] });

    private readonly KeyValuePair<string, object?> tag = new("writer", writer);

    public void Committed(int size, TimeSpan wait)
    {
        Size.Record(size, tag);
        Wait.Record(wait.TotalSeconds, tag);
    }
}
