using System.Diagnostics;
using System.Globalization;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Bench.Peers;
using MoxApi.Tests.Hosting;
using Npgsql;

namespace MoxApi.Bench.Scenarios;

/// <summary>An even rate for a long time: what grows that should not, and whether anything is forgotten.</summary>
internal static class SoakBench
{
    private const int Samples = 10;

    /// <summary>With a history of two minutes: after that, nothing may grow.</summary>
    public static Task RunAsync(BenchSite site, CancellationToken stop) => RunAsync(new(site, "soak", site.Options.Soak), ShortHistory.StartAsync, stop);

    /// <summary>While a snapshot is held: dead rows pile up, and delivery may not slow down for it.</summary>
    public static Task RunBesideSnapshotAsync(BenchSite site, CancellationToken stop) => RunAsync(new(site, "snapshot", site.Options.Snapshot), HeldSnapshot.TakeAsync, stop);

    private static async Task RunAsync(Plan plan, Func<NpgsqlDataSource, CancellationToken, Task<IAsyncDisposable>> beginBesideAsync, CancellationToken stop)
    {
        var site = plan.Site;
        await using var stage = await site.OpenStageAsync();
        await using (var node = await stage.StartNodeAsync())
        {
            var domains = site.Options.DomainSteps[1];
            await stage.WarmUpAsync(node, site.Options.Domains, stop);
            var rate = site.Options.Rate ?? await HalfAsync(stage, node, domains, stop);
            await using (await beginBesideAsync(stage.Installation.Database, stop)) await RunAsync(plan, stage, node, domains, rate, stop);
            await stage.CheckBooksAsync(waiting: 0, stop);
        }
    }

    private static async Task<double> HalfAsync(Stage stage, MoxApiProcess node, int domains, CancellationToken stop)
    {
        var (figures, _) = await DeliverBench.MeasureAsync(stage, node, domains, stage.Site.Options.Count(usual: 10_000, quick: 60), stop);
        return figures[0].Value / 2;
    }

    private static async Task RunAsync(Plan plan, Stage stage, MoxApiProcess node, int domains, double rate, CancellationToken stop)
    {
        var count = Math.Max(Samples, (int)(rate * plan.Length.TotalSeconds));
        var (run, arrivals) = stage.Site.NextRun(count);
        var endpoint = stage.Site.Webhooks.Add(WebhookSink.Fast, count);
        await using var registered = await stage.RegisterAsync(node, endpoint, "message.delivered");
        var posting = stage.PostAsync(node, run, count, domains, stop, perSecond: rate);
        var states = await WatchAsync(plan, stage, node, posting, stop);
        var load = await posting;
        await endpoint.Events.ReachesAsync(count, stop);
        await stage.ArrivedAsync(run, arrivals, load, count, stop);
        if (endpoint.Events.Distinct != count) stage.Site.Report.Fault($"{plan.Name}: {endpoint.Events.Distinct} webhooks arrived for {count} messages.");
        for (var sample = 0; sample < states.Count; sample++)
        {
            var part = Enumerable.Range(sample * count / states.Count, count / states.Count).ToArray();
            var (answers, transfers) = (Since(load, part, n => load.AnsweredAt[n]), Since(load, part, n => arrivals.TimeOf(Messages.Id(run, n))));
            stage.Site.Report.Add(plan.Name, string.Create(CultureInfo.InvariantCulture, $"{sample + 1} of {states.Count}"),
            [
                new(Figure.PerSecond, PerSecond(load, part)),
                new("answerP50Ms", Percentiles.At(answers, 0.5)), new("answerP99Ms", Percentiles.At(answers, 0.99)),
                new("arrivalP50Ms", Percentiles.At(transfers, 0.5)), new("arrivalP99Ms", Percentiles.At(transfers, 0.99)),
                .. states[sample],
            ]);
        }
    }

    /// <summary>Takes samples until the load has ended.</summary>
    private static async Task<List<Figure[]>> WatchAsync(Plan plan, Stage stage, MoxApiProcess node, Task posting, CancellationToken stop)
    {
        var states = new List<Figure[]>();
        var pause = plan.Length / Samples;
        while (states.Count < Samples)
        {
            await Task.WhenAny(posting, Task.Delay(pause, TimeProvider.System, stop));
            stop.ThrowIfCancellationRequested();
            states.Add([new("programMb", ProcessMeter.Of(node.Id).Megabytes()), .. await TablesAsync(stage, stop)]);
            if (posting.IsCompleted) break;
        }
        return states;
    }

    private static async Task<Figure[]> TablesAsync(Stage stage, CancellationToken stop)
    {
        await using var command = stage.Installation.Database.CreateCommand("""
            SELECT pg_total_relation_size('queue') / 1024.0, pg_total_relation_size('webhook_queue') / 1024.0,
              (SELECT sum(n_dead_tup) FROM pg_stat_user_tables WHERE relname IN ('queue', 'webhook_queue')), (SELECT count(*) FROM queue), pg_database_size(current_database()) / 1048576.0
            """);
        await using var reader = await command.ExecuteReaderAsync(stop);
        await reader.ReadAsync(stop);
        return [.. new[] { "queueKb", "webhookQueueKb", "deadRows", "queued", "databaseMb" }.Select((name, column) => new Figure(name, Convert.ToDouble(reader.GetValue(column), CultureInfo.InvariantCulture)))];
    }

    private static double PerSecond(LoadResult load, int[] part) => part.Length / Stopwatch.GetElapsedTime(load.SentAt[part[0]], part.Max(n => load.AnsweredAt[n])).TotalSeconds;

    private static double[] Since(LoadResult load, IEnumerable<int> numbers, Func<int, long?> at) =>
        [.. numbers.Where(n => at(n) is not null).Select(n => Stopwatch.GetElapsedTime(load.SentAt[n], at(n)!.Value).TotalMilliseconds).DefaultIfEmpty()];

    private sealed record Plan(BenchSite Site, string Name, TimeSpan Length);
}
