using System.Globalization;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using Npgsql;

namespace MoxApi.Tests.Hosting;

/// <summary>
/// A private cluster in a folder of its own, started when somebody asks for a database and deleted at the end. Each caller gets a database of its
/// own, copied from a template that was migrated once.
/// </summary>
/// <param name="parentFolder">Where to make the folder.</param>
/// <param name="settings">Lines of <c>postgresql.conf</c> that win over the program's.</param>
public class TemporaryCluster(string parentFolder, IReadOnlyDictionary<string, string> settings) : IAsyncDisposable
{
    private const string Template = "migrated";

    private readonly TemporaryFolder folder = new(parentFolder);
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

    /// <summary>A new database, copied from one that nobody is connected to.</summary>
    /// <returns>Its connection string.</returns>
    public Task<string> CopyDatabaseAsync(string connectionString) => CreateAsync(new NpgsqlConnectionStringBuilder(connectionString).Database!);

    /// <summary>Deletes a database, whoever is connected to it.</summary>
    public async Task DropDatabaseAsync(string connectionString)
    {
        var server = await StartAsync();
        await ExecuteAsync(server.ConnectionString, $"DROP DATABASE {new NpgsqlConnectionStringBuilder(connectionString).Database} WITH (FORCE)");
    }

    /// <summary>Starts the server, where it does not run yet.</summary>
    public async Task<PrivateCluster> StartAsync()
    {
        await gate.WaitAsync();
        try
        {
            return cluster ??= await PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server, new PrivateClusterOptions { Settings = settings });
        }
        finally
        {
            gate.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
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
        var server = await StartAsync();
        var name = string.Create(CultureInfo.InvariantCulture, $"test_{Interlocked.Increment(ref databases)}");
        // One at a time: CREATE DATABASE refuses a template that somebody else is copying just now.
        await gate.WaitAsync();
        try
        {
            // Copied as files: PostgreSQL would else write each page to its log, which takes three times as long.
            await ExecuteAsync(server.ConnectionString, $"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY");
        }
        finally
        {
            gate.Release();
        }
        return InDatabase(server, name);
    }

    private async Task MigrateOnceAsync()
    {
        var server = await StartAsync();
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
