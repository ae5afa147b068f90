using System.Diagnostics;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>PostgreSQL dies as <c>kill -9</c> of its first process makes it, with all guarantees for the disk in force, and comes back.</summary>
[Collection(ProcessCollection.Name)]
public sealed class PostgresKilledTests : IAsyncLifetime
{
    // Longer than PostgreSQL is away.
    private static readonly (string, string) Lease = ("Node__Lease", "00:00:15");

    private readonly TemporaryFolder folder = new();
    private readonly CountingSink sink = new();
    private PrivateCluster cluster = null!;
    private Installation installation = null!;

    public async ValueTask InitializeAsync()
    {
        // Opened as a server, it is started again when it dies.
        cluster = await PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server);
        await using (var database = NpgsqlDataSource.Create(cluster.ConnectionString)) await SchemaMigrator.MigrateAsync(database, CancellationToken.None);
        installation = await Installation.CreateAsync(cluster.ConnectionString);
        installation.Deliver("example.net", sink.EndPoint);
    }

    public async ValueTask DisposeAsync()
    {
        await installation.DisposeAsync();
        await sink.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        await cluster.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Killed_under_load_it_loses_nothing_acknowledged_and_nothing_is_delivered_twice()
    {
        await using var node = await installation.StartNodeAsync("a", Lease);
        await using var load = new MailLoad(installation.ApiKey, () => node, () => node, () => node);
        for (var round = 0; round < 3; round++)
        {
            await load.AcknowledgedMoreAsync(60);
            await KillAsync();
        }
        await load.AcknowledgedMoreAsync(20);
        await load.StopAsync();
        await ReachableAsync();
        await installation.QueueIsEmptyAsync();

        Assert.Empty(load.Refusals);
        Assert.DoesNotContain(load.Acknowledged, id => sink.Of(id).Accepts == 0);
        Assert.DoesNotContain(sink.Counts, seen => seen.Value.Dots > 1);
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Killed_between_a_servers_250_and_the_outcome_it_causes_no_second_delivery()
    {
        var killed = new TaskCompletionSource();
        sink.BeforeAnswer = async (_, _) =>
        {
            await KillAsync();
            killed.SetResult();
        };
        await using var node = await installation.StartNodeAsync("a", Lease);
        await installation.SendAsync(node, "<once@acme.example>");
        await killed.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        await ReachableAsync();
        await installation.QueueIsEmptyAsync();

        Assert.Equal(new Counted(1, 1), sink.Of("<once@acme.example>"));
        var attempt = Assert.Single(await installation.AttemptsAsync("<once@acme.example>"));
        Assert.Equal(AttemptOutcome.Delivered, attempt.Outcome);
        await installation.AssertBooksBalanceAsync();
    }

    private async Task KillAsync()
    {
        // It may have come back just now, and not be known yet.
        using var postmaster = await Eventually.GetAsync(() => Task.FromResult(Process.GetProcesses().FirstOrDefault(p => p.Id == cluster.ProcessId)), "PostgreSQL");
        postmaster.Kill();
        await postmaster.WaitForExitAsync().WaitAsync(Eventually.Patience);
    }

    private Task ReachableAsync() => Eventually.HoldsAsync(
        async () =>
        {
            try
            {
                installation.Database.Clear();
                await using var command = installation.Database.CreateCommand("SELECT 1");
                return await command.ExecuteScalarAsync() is 1;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        },
        "PostgreSQL");
}
