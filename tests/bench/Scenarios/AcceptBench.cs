using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Migrations.Nodes;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>The API alone, on a node that does not deliver: how fast messages are taken, and how long each 202 takes.</summary>
internal static class AcceptBench
{
    private const string Name = "accept";
    private const int BatchSize = 100;

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        await using var stage = await site.OpenStageAsync();
        await using (var node = await stage.StartNodeAsync(Roles.Api, Roles.Webhooks, Roles.Migrate))
        {
            var accepted = await WarmUpAsync(stage, node, stop);
            for (var round = 0; round < site.Options.Rounds; round++)
            {
                foreach (var connections in site.Options.ConnectionSteps) accepted += await SinglyAsync(stage, node, connections, stop);
                accepted += await NamedAsync(stage, node, stop) + await InBatchesAsync(stage, node, stop);
            }
            if (await stage.CheckBooksAsync(stop) is var counted && counted != accepted) site.Report.Fault($"accept: {accepted} messages were answered with 202, but {counted} are stored.");
        }
    }

    private static async Task<int> WarmUpAsync(Stage stage, MoxApiProcess node, CancellationToken stop)
    {
        var count = stage.Site.Options.Count(usual: 1000, quick: 20);
        var (run, _) = stage.Site.NextRun(count);
        await stage.PostAsync(node, run, count, stage.Site.Options.Domains, stop);
        return count;
    }

    private static async Task<int> SinglyAsync(Stage stage, MoxApiProcess node, int connections, CancellationToken stop)
    {
        // On few connections less can be done in the same time.
        var most = stage.Site.Options.Count(usual: 12_000, quick: 40);
        var count = connections == 1 ? Math.Max(1, most / 8) : connections < stage.Site.Options.Connections ? Math.Max(1, most / 2) : most;
        var (run, _) = stage.Site.NextRun(count);
        await MeasureAsync(stage, node, connections == 1 ? "1 connection" : $"{connections} connections", run, count, () => stage.PostAsync(node, run, count, stage.Site.Options.Domains, stop, connections));
        return count;
    }

    private static async Task<int> NamedAsync(Stage stage, MoxApiProcess node, CancellationToken stop)
    {
        var (options, count) = (stage.Site.Options, stage.Site.Options.Count(usual: 12_000, quick: 40));
        var (run, _) = stage.Site.NextRun(count);
        await MeasureAsync(stage, node, $"{options.Connections} connections, with Idempotency-Key", run, count, () => stage.PostNamedAsync(node, run, count, options.Domains, stop));
        return count;
    }

    private static async Task MeasureAsync(Stage stage, MoxApiProcess node, string what, string run, int count, Func<Task<LoadResult>> postAsync)
    {
        var meter = stage.Measure(node);
        var load = await postAsync();
        var figures = meter.Read(count).ToArray();
        await StoredAsync(stage, run, load, count);
        stage.Site.Report.Add(Name, what, [Figure.Rate(count, load.Elapsed), .. Figure.Times(load.Milliseconds()), .. figures]);
    }

    private static async Task<int> InBatchesAsync(Stage stage, MoxApiProcess node, CancellationToken stop)
    {
        const int Connections = 8;
        var what = $"batches of {BatchSize}, {Connections} connections";
        if (!await Probe.TakesAsync(node, stage.Installation.ApiKey, "/v1/messages/batch", stop))
        {
            stage.Site.Report.NotAvailable(Name, what, "the API has no batches");
            return 0;
        }
        var batches = Math.Max(1, stage.Site.Options.Count(usual: 12_000, quick: 200) / BatchSize);
        var (run, _) = stage.Site.NextRun(batches * BatchSize);
        var request = Messages.Batch(run, stage.Installation.ApiKey, BatchSize);
        await MeasureAsync(
            stage, node, what, run, batches * BatchSize, () => Load.RunAsync(0, batches, Connections, HttpLoad.To(node.Http, request, stage.Site.Options.Domains, BatchSize), stop));
        return batches * BatchSize;
    }

    // Nothing is delivered here, so the messages are counted where they are.
    private static async Task StoredAsync(Stage stage, string run, LoadResult load, int count)
    {
        stage.Site.Report.Refused(run, load.Refusals);
        await using var command = stage.Installation.Database.CreateCommand("SELECT message_id_header, count(*)::int FROM message WHERE message_id_header LIKE $1 GROUP BY 1");
        command.Parameters.Add(new() { Value = $"<{run}.%" });
        var stored = new Dictionary<string, int>();
        await using var reader = await command.ExecuteReaderAsync();
        while (await reader.ReadAsync()) stored[reader.GetString(0)] = reader.GetInt32(1);
        stage.Site.Report.Counted(run, Enumerable.Range(0, count).Select(n => stored.GetValueOrDefault(Messages.Id(run, n))));
    }
}
