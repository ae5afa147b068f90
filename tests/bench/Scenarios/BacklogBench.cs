using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using MoxApi.Bench.Measuring;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>Delivery without and with a full queue, and how long the API's lists take on it.</summary>
internal static class BacklogBench
{
    private const string Name = "backlog";

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        var waiting = site.Options.Messages ?? (site.Options.Quick ? 1_000 : 1_000_000);
        // The number of messages is that of those who wait here.
        var (domains, inner) = (site.Options.DomainSteps[1], site.Options with { Messages = null });
        await using var stage = await site.OpenStageAsync();
        await DeliverAsync(stage, domains, "empty queue", waiting: 0, stop);
        await new WaitingMessages(stage).FillAsync(waiting, stop);
        var what = string.Create(CultureInfo.InvariantCulture, $"{waiting:N0} waiting");
        await DeliverAsync(stage, domains, what, waiting, stop);
        if (site.Report.Lines.Any(line => line.Case.EndsWith(what, StringComparison.Ordinal)))
            site.Report.Add(Name, "full / empty", new Figure("ratio", site.Report.Median(Name, Case(what), Figure.PerSecond) / site.Report.Median(Name, Case("empty queue"), Figure.PerSecond)));
        _ = inner;

        string Case(string queue) => $"{DeliverBench.CaseOf(domains)}, {queue}";
    }

    private static async Task DeliverAsync(Stage stage, int domains, string queue, int waiting, CancellationToken stop)
    {
        await Task.CompletedTask;
    }
}
