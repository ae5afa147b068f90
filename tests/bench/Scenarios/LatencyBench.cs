using System.Diagnostics;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Bench.Peers;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>
/// One message at a time on a service that does nothing else: from the POST to the 202, to the final dot at the recipient's server, and to the
/// webhook that says so. To one domain, whose connection is still open, and to a new domain each, whose address is not known yet.
/// </summary>
internal static class LatencyBench
{
    private const string Name = "latency";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        await using var stage = await site.OpenStageAsync();
        await using (var node = await stage.StartNodeAsync())
        {
            // Of those who deliver to the second half of the domains nothing has been warmed up but the program.
            await stage.WarmUpAsync(node, Math.Max(1, site.Options.Domains / 4), stop);
            var next = site.Options.Domains / 4;
            for (var round = 0; round < site.Options.Rounds; round++)
            {
                await MeasureAsync(stage, node, "one domain", first: 0, domains: 1, stop);
                next += await MeasureAsync(stage, node, "a new domain each", next, site.Options.Domains, stop);
            }
            await stage.CheckBooksAsync(waiting: 0, stop);
        }
    }

    private static async Task<int> MeasureAsync(Stage stage, MoxApiProcess node, string what, int first, int domains, CancellationToken stop)
    {
        // No more than there are domains that were not used before.
        var count = domains == 1 ? stage.Site.Options.Count(usual: 300, quick: 10) : Math.Max(1, domains * 3 / 4 / stage.Site.Options.Rounds);
        var (run, arrivals) = stage.Site.NextRun(count);
        var endpoint = stage.Site.Webhooks.Add(WebhookSink.Fast, count);
        await using var registered = await stage.RegisterAsync(node, endpoint, "message.delivered");
        var meter = stage.Measure(node);
        var load = await stage.PostAsync(node, run, count, domains, stop, connections: 1, first, settle: async done =>
        {
            await arrivals.ReachesAsync(done, stop);
            await endpoint.Events.ReachesAsync(done, stop);
            await Task.Delay(Pause, TimeProvider.System, stop);
        });
        var figures = meter.Read(count).ToArray();
        await stage.ArrivedAsync(run, arrivals, load, count, stop);
        if (endpoint.Events.Doubled > 0 || endpoint.Events.Distinct != count) stage.Site.Report.Fault($"latency, {what}: {endpoint.Events.Distinct} webhooks for {count} messages, {endpoint.Events.Doubled} doubled.");
        stage.Site.Report.Add(Name, $"{what}, to the 202", [.. Figure.Times(Since(load, n => load.AnsweredAt[n])), .. figures]);
        stage.Site.Report.Add(Name, $"{what}, to the arrival", Figure.Times(Since(load, n => arrivals.TimeOf(Messages.Id(run, first + n)))));
        stage.Site.Report.Add(Name, $"{what}, to the webhook", Figure.Times(Since(load, n => endpoint.Messages.TimeOf(Messages.Id(run, first + n)))));
        return count;
    }

    private static double[] Since(LoadResult load, Func<int, long?> at) =>
        [.. Enumerable.Range(0, load.SentAt.Length).Where(n => at(n) is not null).Select(n => Stopwatch.GetElapsedTime(load.SentAt[n], at(n)!.Value).TotalMilliseconds)];
}
