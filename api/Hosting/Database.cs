using MoxApi.Migrations.Cluster;
using Npgsql;

namespace MoxApi.Api.Hosting;

/// <summary>The database that the settings say: a configured one, or a private PostgreSQL below the data folder.</summary>
internal sealed class Database : IAsyncDisposable
{
    private readonly PrivateCluster? cluster;

    private Database(PrivateCluster? cluster, string connectionString, NpgsqlDataSource source) =>
        (this.cluster, ConnectionString, Source) = (cluster, connectionString, source);

    /// <summary>For Npgsql, without a pool size.</summary>
    public string ConnectionString { get; }

    /// <summary>This program's connections.</summary>
    public NpgsqlDataSource Source { get; }

    /// <summary>Opens it, and starts the private PostgreSQL where that is the one.</summary>
    /// <exception cref="PrivateClusterException">It cannot be started or is in use.</exception>
    public static async Task<Database> OpenAsync(Settings settings, ClusterUse use, ILoggerFactory loggers, CancellationToken cancel)
    {
        var cluster = settings.Database.ConnectionString is null
            ? await PrivateCluster.OpenAsync(settings.DataFolder, use, new PrivateClusterOptions { Logger = loggers.CreateLogger<PrivateCluster>() }, cancel)
            : null;
        var text = new NpgsqlConnectionStringBuilder(cluster?.ConnectionString ?? settings.Database.ConnectionString)
        {
            // Npgsql 10 asks for Kerberos first by default, which without Kerberos costs exceptions and can hang.
            GssEncryptionMode = GssEncryptionMode.Disable,
            ApplicationName = $"moxapi {settings.Node.CleanName}",
            // The few statements of the hot path are prepared by themselves.
            MaxAutoPrepare = 64,
            AutoPrepareMinUsages = 3,
        };
        // An answer says that the disk has it, whatever the server's own default is.
        text.Options = $"{text.Options} -c synchronous_commit=on".TrimStart();
        var connectionString = text.ConnectionString;
        text.MaxPoolSize = settings.Database.MaxConnections;
        // Otherwise PostgreSQL runs six statements before the first of each use of a connection. Whoever gives a session something to keep, gives it back.
        text.NoResetOnClose = true;
        var builder = new NpgsqlDataSourceBuilder(text.ConnectionString);
        builder.UseLoggerFactory(loggers);
        return new Database(cluster, connectionString, builder.Build());
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await Source.DisposeAsync();
        NpgsqlConnection.ClearAllPools();
        // PostgreSQL goes last.
        if (cluster is not null) await cluster.DisposeAsync();
    }
}
