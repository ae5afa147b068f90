using System.Diagnostics;
using MoxApi.Bench.Measuring;
using MoxApi.Migrations.Cluster;
using MoxApi.Tests;
using MoxApi.Tests.Hosting;
using Npgsql;

namespace MoxApi.Bench.Scenarios;

/// <summary>What the program costs while nothing is to be done, two minutes after its start and two minutes after a load; and how long a start takes.</summary>
internal static class RestBench
{
    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        await using var stage = await site.OpenStageAsync();
        // The first start fills the machine's caches.
        await using (var first = await stage.StartNodeAsync()) await IsReadyAsync(first);
        var start = Stopwatch.GetTimestamp();
        await using var node = await stage.StartNodeAsync();
        await IsReadyAsync(node);
        var ready = Stopwatch.GetElapsedTime(start);
        await MeasureAsync(stage, node, "two minutes after a start", new("startSeconds", ready.TotalSeconds), stop);
        await stage.WarmUpAsync(node, site.Options.Domains, stop);
        await MeasureAsync(stage, node, "two minutes after a load", null, stop);
        await stage.CheckBooksAsync(waiting: 0, stop);
    }

    private static async Task IsReadyAsync(MoxApiProcess node)
    {
        using var client = node.Client("");
        await Eventually.HoldsAsync(
            async () =>
            {
                using var answer = await client.GetAsync("/readyz");
                return answer.IsSuccessStatusCode;
            },
            "the node to be ready");
    }

    private static async Task MeasureAsync(Stage stage, MoxApiProcess node, string when, Figure? start, CancellationToken stop)
    {
        var quick = stage.Site.Options.Quick;
        await Task.Delay(quick ? TimeSpan.FromMilliseconds(100) : TimeSpan.FromMinutes(2), TimeProvider.System, stop);
        var (program, cluster) = (ProcessMeter.Of(node.Id), await stage.Site.Cluster.StartAsync());
        var database = ProcessMeter.OfTree(cluster.ProcessId);
        var (cpu, databaseCpu, statements) = (program.CpuSeconds(), database.CpuSeconds(), await StatementsAsync(cluster, stop));
        var since = Stopwatch.GetTimestamp();
        await Task.Delay(quick ? TimeSpan.FromMilliseconds(500) : TimeSpan.FromMinutes(1), TimeProvider.System, stop);
        var seconds = Stopwatch.GetElapsedTime(since).TotalSeconds;
        stage.Site.Report.Add("rest", when,
        [
            .. start is { } figure ? [figure] : Array.Empty<Figure>(),
            new("programCpuPercent", (program.CpuSeconds() - cpu) / seconds * 100),
            new("postgresCpuPercent", (database.CpuSeconds() - databaseCpu) / seconds * 100),
            new("statementsPerSecond", (await StatementsAsync(cluster, stop) - statements) / seconds),
            new("programMb", program.Megabytes()),
            new("postgresMb", database.Megabytes()),
            new("load", Meter.LoadAverage()),
        ]);
    }

    // Transactions, where PostgreSQL does not count statements: at rest most transactions are one.
    private static async Task<double> StatementsAsync(PrivateCluster cluster, CancellationToken stop)
    {
        await using var connection = new NpgsqlConnection(cluster.AdminConnectionString);
        await connection.OpenAsync(stop);
        await using var loaded = new NpgsqlCommand("SELECT current_setting('shared_preload_libraries') LIKE '%pg_stat_statements%'", connection);
        if (await loaded.ExecuteScalarAsync(stop) is not true) return await NumberAsync("SELECT sum(xact_commit + xact_rollback)::float8 FROM pg_stat_database");
        return await NumberAsync("CREATE EXTENSION IF NOT EXISTS pg_stat_statements; SELECT sum(calls)::float8 FROM pg_stat_statements");

        async Task<double> NumberAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection);
            return (double)(await command.ExecuteScalarAsync(stop))!;
        }
    }
}
