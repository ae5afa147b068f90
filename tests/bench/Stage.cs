using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Bench.Peers;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Npgsql;

namespace MoxApi.Bench;

/// <summary>An installation for one scenario, in a database of its own that is deleted after the books were checked.</summary>
internal sealed class Stage(BenchSite site, Installation installation, PrivateCluster cluster) : IAsyncDisposable
{
    private int nodes;

    public BenchSite Site => site;

    public Installation Installation => installation;

    /// <summary>Starts the program, with all roles where none are named.</summary>
    public Task<MoxApiProcess> StartNodeAsync(params string[] roles)
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"bench-{++nodes}");
        // One account asks here for what many do otherwise, so its limit would be what is measured.
        var settings = roles.Select((role, n) => ($"Node__Roles__{n}", role)).Prepend(("Api__RequestsPerSecond", "0")).Concat(site.Options.Settings);
        return installation.StartNodeWithLogAsync(name, site.PathOf(name + ".log"), settings);
    }

    /// <summary>Starts to measure what a node costs.</summary>
    public Meter Measure(MoxApiProcess node) => Meter.Start(node.Id, cluster.ProcessId);

    /// <summary>Registers an endpoint for some events; a disposal takes the registration back.</summary>
    public async Task<IAsyncDisposable> RegisterAsync(MoxApiProcess node, WebhookSink.Endpoint endpoint, string eventType)
    {
        var client = node.Client(installation.ApiKey);
        using var answer = await client.PostAsJsonAsync("/v1/webhooks", new { url = endpoint.Url, events = new[] { eventType }, allowPrivate = true });
        answer.EnsureSuccessStatusCode();
        var id = (await answer.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("id").GetString();
        return new Registration(client, $"/v1/webhooks/{id}");
    }

    /// <summary>Has what was filled in vacuumed and written to disk now, and not while something is measured: nobody gets a million rows at once.</summary>
    public async Task SettleAsync(CancellationToken stop)
    {
        var database = new NpgsqlConnectionStringBuilder(installation.ConnectionString).Database;
        await using var admin = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(cluster.AdminConnectionString) { Database = database, CommandTimeout = 0 });
        foreach (var statement in new[] { "VACUUM ANALYZE", "CHECKPOINT" })
        {
            await using var command = admin.CreateCommand(statement);
            await command.ExecuteNonQueryAsync(stop);
        }
    }

    /// <summary>Runs everything once, so that the figures are not those of a program that has just started.</summary>
    public async Task WarmUpAsync(MoxApiProcess node, int domains, CancellationToken stop)
    {
        var count = site.Options.Count(usual: 1000, quick: 20);
        var (run, tally) = site.NextRun(count);
        var load = await PostAsync(node, run, count, domains, stop);
        await ArrivedAsync(run, tally, load, count, stop);
    }

    /// <summary>Posts the messages of a run to a node, over as many connections as usual where nothing is said.</summary>
    public Task<LoadResult> PostAsync(
        MoxApiProcess node, string run, int count, int domains, CancellationToken stop, int? connections = null, int first = 0, double? perSecond = null, Func<int, Task>? settle = null) =>
        Load.RunAsync(first, count, connections ?? site.Options.Connections, HttpLoad.To(node.Http, Messages.Request(run, installation.ApiKey), domains), stop, perSecond, settle);

    /// <summary>Posts the messages of a run, each with an Idempotency-Key of its own.</summary>
    public Task<LoadResult> PostNamedAsync(MoxApiProcess node, string run, int count, int domains, CancellationToken stop) =>
        Load.RunAsync(0, count, site.Options.Connections, HttpLoad.To(node.Http, Messages.NamedRequest(run, installation.ApiKey), domains), stop);

    /// <summary>Waits until the messages of a load have arrived, and notes each that is lost, doubled or refused.</summary>
    public async Task ArrivedAsync(string run, Tally tally, LoadResult load, int count, CancellationToken stop)
    {
        site.Report.Refused(run, load.Refusals);
        await tally.ReachesAsync(count, stop);
        site.Report.Counted(run, Enumerable.Range(load.First, count).Select(n => tally.CountOf(Messages.Id(run, n))));
    }

    /// <summary>A message as the program has composed and signed it.</summary>
    public async Task<byte[]> RawAsync(MoxApiProcess node, string messageId, CancellationToken stop)
    {
        await using var context = installation.Open();
        using var client = node.Client(installation.ApiKey);
        var newest = await client.GetFromJsonAsync<JsonElement>("/v1/messages?limit=100", stop);
        var found = newest.GetProperty("data").EnumerateArray().First(message => message.GetProperty("messageId").GetString() == messageId);
        return await client.GetByteArrayAsync($"/v1/messages/{found.GetProperty("id").GetString()}/raw", stop);
    }

    /// <summary>Waits until the queue has no more rows than those that are to wait, and checks the books.</summary>
    /// <returns>How many recipients were accepted in all.</returns>
    public async Task<long> CheckBooksAsync(int waiting, CancellationToken stop)
    {
        await installation.CountIsAsync("SELECT count(*) FROM queue", waiting);
        return await CheckBooksAsync(stop);
    }

    /// <summary>Checks the books as they are.</summary>
    public async Task<long> CheckBooksAsync(CancellationToken stop)
    {
        var books = await Books.CheckAsync(installation.Database, stop);
        foreach (var fault in books.Faults) site.Report.Fault($"The books do not balance: {fault}.");
        return books.Accepted;
    }

    public async ValueTask DisposeAsync()
    {
        var connectionString = installation.ConnectionString;
        await installation.DisposeAsync();
        await site.Cluster.DropDatabaseAsync(connectionString);
    }

    private sealed class Registration(HttpClient client, string path) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync()
        {
            using (client) (await client.DeleteAsync(new Uri(path, UriKind.Relative))).Dispose();
        }
    }
}
