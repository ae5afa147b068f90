using MoxApi.Bench.Reporting;

namespace MoxApi.Bench;

/// <summary>One run of the benchmark, from an empty folder to the report.</summary>
internal static class BenchRun
{
    /// <summary>Runs scenarios one after the other.</summary>
    /// <returns>The exit code: 1 if something was lost, doubled or refused, or the books did not balance.</returns>
    public static async Task<int> RunAsync(BenchOptions options, string? jsonFile, Func<BenchSite, CancellationToken, Task>[] scenarios, CancellationToken stop)
    {
        // The load's continuations must not wait for threads to be made.
        ThreadPool.SetMinThreads(32, 32);
        var report = new Report(options);
        await using (var site = await BenchSite.OpenAsync(options, report))
        {
            // What was measured until something broke is shown too.
            try
            {
                foreach (var scenario in scenarios) await scenario(site, stop);
            }
            catch (Exception fault) when (fault is not OperationCanceledException)
            {
                report.Fault($"It was cut short: {fault}");
            }
        }
        if (jsonFile == "-") Console.WriteLine(ReportJson.Of(report));
        else ReportTable.Write(report);
        if (jsonFile is not (null or "-")) await File.WriteAllTextAsync(jsonFile, ReportJson.Of(report) + "\n", stop);
        return report.Faults.Count == 0 ? 0 : 1;
    }
}
