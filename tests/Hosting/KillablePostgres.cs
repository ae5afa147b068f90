using System.Diagnostics;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using Npgsql;

namespace MoxApi.Tests.Hosting;

/// <summary>A PostgreSQL of a test's own, with the schema and all guarantees for the disk in force. When it dies it is started again.</summary>
internal sealed class KillablePostgres : IAsyncDisposable
{
    private readonly PrivateCluster cluster;

    private KillablePostgres(PrivateCluster cluster) => this.cluster = cluster;

    public string ConnectionString => cluster.ConnectionString;

    /// <summary>Makes it in a folder, which the caller deletes.</summary>
    public static async Task<KillablePostgres> StartAsync(string folder)
    {
        // Opened as a server, it is started again when it dies.
        var cluster = await PrivateCluster.OpenAsync(folder, ClusterUse.Server);
        await using (var database = NpgsqlDataSource.Create(cluster.ConnectionString)) await SchemaMigrator.MigrateAsync(database, CancellationToken.None);
        return new KillablePostgres(cluster);
    }

    /// <summary>Kills its first process as <c>kill -9</c> does; the others follow.</summary>
    public async Task KillAsync()
    {
        // It may have come back just now, and not be known yet.
        using var postmaster = await Eventually.GetAsync(() => Task.FromResult(Process.GetProcesses().FirstOrDefault(p => p.Id == cluster.ProcessId)), "PostgreSQL");
        postmaster.Kill();
        await postmaster.WaitForExitAsync().WaitAsync(Eventually.Patience);
    }

    /// <summary>Executes a statement as superuser, on a connection of its own.</summary>
    public async Task ExecuteAsync(string statement)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(cluster.AdminConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Waits until somebody's connections to it work again.</summary>
    public static Task ReachableAsync(NpgsqlDataSource database) => Eventually.HoldsAsync(
        async () =>
        {
            try
            {
                database.Clear();
                await using var command = database.CreateCommand("SELECT 1");
                return await command.ExecuteScalarAsync() is 1;
            }
            catch (NpgsqlException)
            {
                return false;
            }
        },
        "PostgreSQL");

    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearAllPools();
        await cluster.DisposeAsync();
    }
}
