using System.Globalization;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

[assembly: AssemblyFixture(typeof(TestPostgres))]

namespace MoxApi.Tests.Hosting;

/// <summary>
/// The PostgreSQL of a test run: one private cluster, started when the first test asks for it and deleted at the end. Each caller gets a database
/// of its own, copied from a template that was migrated once. It does not sync to disk: a test about losing power needs a cluster of its own.
/// </summary>
public sealed class TestPostgres : IAsyncDisposable
{
    private const string Template = "migrated";

    private readonly TemporaryFolder folder = new();
    private readonly SemaphoreSlim gate = new(1, 1);
    private PrivateCluster? cluster;
    private bool migrated;
    private int databases;

    /// <summary>A new, empty database.</summary>
    /// <returns>Its connection string. The caller need not delete it.</returns>
    public Task<string> CreateEmptyDatabaseAsync() => CreateAsync("template1");

    /// <summary>A new database with the schema, copied from a template that was migrated once.</summary>
    /// <returns>Its connection string. The caller need not delete it.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        await MigrateOnceAsync();
        return await CreateAsync(Template);
    }

    public async ValueTask DisposeAsync()
    {
        if (cluster is not null)
        {
            NpgsqlConnection.ClearAllPools();
            await cluster.DisposeAsync();
        }
        folder.Dispose();
        gate.Dispose();
    }

    private async Task<string> CreateAsync(string template)
    {
        var server = await StartOnceAsync();
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        // One at a time: CREATE DATABASE refuses a template that somebody else is copying just now.
        await gate.WaitAsync();
        try
        {
            await ExecuteAsync(server.ConnectionString, $"CREATE DATABASE {name} TEMPLATE {template}");
        }
        finally
        {
            gate.Release();
        }
        return InDatabase(server, name);
    }

    private async Task MigrateOnceAsync()
    {
        var server = await StartOnceAsync();
        await gate.WaitAsync();
        try
        {
            if (migrated) return;
            await ExecuteAsync(server.ConnectionString, $"DROP DATABASE IF EXISTS {Template}");
            await ExecuteAsync(server.ConnectionString, $"CREATE DATABASE {Template}");
            // Disposing the source closes its connections: a database that has some cannot be a template.
            await using (var source = NpgsqlDataSource.Create(InDatabase(server, Template))) await SchemaMigrator.MigrateAsync(source, CancellationToken.None);
            migrated = true;
        }
        finally
        {
            gate.Release();
        }
    }

    private async Task<PrivateCluster> StartOnceAsync()
    {
        await gate.WaitAsync();
        try
        {
            return cluster ??= await PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server, new PrivateClusterOptions
            {
                Settings = new Dictionary<string, string> { ["fsync"] = "off", ["full_page_writes"] = "off", ["max_connections"] = "500" },
            });
        }
        finally
        {
            gate.Release();
        }
    }

    private static string InDatabase(PrivateCluster server, string database) =>
        new NpgsqlConnectionStringBuilder(server.ConnectionString) { Database = database }.ConnectionString;

    private static async Task ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync();
    }
}
