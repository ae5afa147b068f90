using System.Diagnostics;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Bench.Peers;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;

namespace MoxApi.Bench.Scenarios;

/// <summary>
/// From the first POST to the last arrival, with everything between: HTTP, composing, both signatures, storing, DNS, SMTP, outcomes. Postfix, where
/// it is compared, takes the messages that the program has composed and signed, by SMTP, and relays them to the same server.
/// </summary>
internal static class DeliverBench
{
    private const string Name = "deliver";

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        await using var stage = await site.OpenStageAsync();
        await using (var node = await stage.StartNodeAsync())
        {
            await stage.WarmUpAsync(node, site.Options.Domains, stop);
            await using var postfix = await StartPostfixAsync(site);
            for (var round = 0; round < site.Options.Rounds; round++)
            {
                foreach (var domains in site.Options.DomainSteps) await CompareAsync(stage, node, postfix, domains, stop);
            }
            await stage.CheckBooksAsync(waiting: 0, stop);
        }
    }

    /// <summary>One round of the program, after which the queue has only those messages left that are to wait in it.</summary>
    public static async Task<(Figure[] Figures, string Run)> MeasureAsync(Stage stage, MoxApiProcess node, int domains, int count, CancellationToken stop, int waiting = 0)
    {
        var (run, tally) = stage.Site.NextRun(count);
        var meter = stage.Measure(node);
        var load = await stage.PostAsync(node, run, count, domains, stop);
        await tally.ReachesAsync(count, stop);
        var figures = meter.Read(count).ToArray();
        await stage.ArrivedAsync(run, tally, load, count, stop);
        await stage.Installation.CountIsAsync("SELECT count(*) FROM queue", waiting);
        return ([Rate(load, tally), .. figures], run);
    }

    private static string CaseOf(int domains) => domains == 1 ? "1 domain" : $"{domains} domains";

    private static async Task CompareAsync(Stage stage, MoxApiProcess node, RelayingPostfix? postfix, int domains, CancellationToken stop)
    {
        var report = stage.Site.Report;
        var count = Math.Max(domains, stage.Site.Options.Count(usual: 10_000, quick: 60));
        var (ours, run) = await MeasureAsync(stage, node, domains, count, stop);
        report.Add(Name, CaseOf(domains), ours);
        if (postfix is null) return;
        var model = Messages.Id(run, count - 1);
        var raw = await stage.RawAsync(node, model, stop);
        // Neither is to pay for what the other has left to be written.
        await stage.SettleAsync(stop);
        var theirs = await MeasureAsync(stage, postfix, count, domains, run => Messages.Copy(raw, model, run), stop);
        report.Add(Name, $"{CaseOf(domains)}, Postfix", theirs);
        report.Add(Name, $"{CaseOf(domains)}, ours / Postfix", new Figure("ratio", ours[0].Value / theirs[0].Value), new Figure("messageBytes", raw.Length));
    }

    private static async Task<Figure[]> MeasureAsync(Stage stage, RelayingPostfix postfix, int count, int domains, Func<string, Template> message, CancellationToken stop)
    {
        var (run, tally) = stage.Site.NextRun(count);
        var meter = Meter.StartTree(postfix.Id);
        var open = SmtpLoad.To(postfix.EndPoint, Messages.Commands(), message(run), domains);
        var load = await Load.RunAsync(0, count, stage.Site.Options.Connections, open, stop);
        await tally.ReachesAsync(count, stop);
        var figures = meter.Read(count).ToArray();
        await stage.ArrivedAsync(run, tally, load, count, stop);
        return [Rate(load, tally), .. figures];
    }

    private static Figure Rate(LoadResult load, Tally tally) => Figure.Rate(tally.Distinct, Stopwatch.GetElapsedTime(load.SentAt.Min(), tally.LastAt));

    private static async Task<RelayingPostfix?> StartPostfixAsync(BenchSite site)
    {
        if (!site.Options.ComparePostfix) return null;
        if (PostfixProcess.Missing is null) return await RelayingPostfix.StartAsync(site.Sink.EndPoints, site.Options.Folder);
        site.Report.NotAvailable(Name, "Postfix", PostfixProcess.Missing);
        return null;
    }
}
