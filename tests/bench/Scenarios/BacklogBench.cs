using System.Globalization;
using MoxApi.Bench.Measuring;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>Delivery without and with a full queue, and how long the API's lists and operations take beside it.</summary>
internal static class BacklogBench
{
    private const string Name = "backlog";
    private const string Empty = "empty queue";

    private static string CaseOf(string queue, int domains) => $"{queue}, {(domains == 1 ? "1 domain" : $"{domains} domains")}";

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        // The number of messages is that of those who wait.
        var waiting = site.Options.Messages ?? (site.Options.Quick ? 1_000 : 1_000_000);
        var full = string.Create(CultureInfo.InvariantCulture, $"{waiting:N0} waiting");
        await using var stage = await site.OpenStageAsync();
        await DeliverAsync(stage, Empty, waiting: 0, stop);
        await new WaitingMessages(stage).FillAsync(waiting, stop);
        await DeliverAsync(stage, full, waiting, stop);
        foreach (var domains in site.Options.DomainSteps)
        {
            var (without, with) = (site.Report.Median(Name, CaseOf(Empty, domains), Figure.PerSecond), site.Report.Median(Name, CaseOf(full, domains), Figure.PerSecond));
            site.Report.Add(Name, CaseOf("full / empty", domains), new Figure("ratio", with / without));
        }
    }

    private static async Task DeliverAsync(Stage stage, string queue, int waiting, CancellationToken stop)
    {
        var options = stage.Site.Options;
        await using var node = await stage.StartNodeAsync();
        await stage.WarmUpAsync(node, options.Domains, stop);
        for (var round = 0; round < options.Rounds; round++)
        {
            foreach (var domains in options.DomainSteps)
            {
                var (figures, _) = await DeliverBench.MeasureAsync(stage, node, domains, options.Quick ? 60 : 10_000, stop, waiting);
                stage.Site.Report.Add(Name, CaseOf(queue, domains), figures);
            }
        }
        if (waiting > 0) await AskAsync(stage, node, stop);
        await stage.CheckBooksAsync(waiting, stop);
    }

    private static async Task AskAsync(Stage stage, MoxApiProcess node, CancellationToken stop)
    {
        var webhook = await new FullLists(stage, node).FillAsync(stop);
        var meter = stage.Measure(node);
        await new ListTimes(stage, node, webhook).MeasureAsync(stop);
        using var operations = new OperationTimes(stage, node, webhook);
        await operations.MeasureAsync(stop);
        stage.Site.Report.Add("operations", "the program during these and the lists", [.. meter.Read(1).Where(figure => figure.Name.EndsWith("Mb", StringComparison.Ordinal))]);
    }
}
