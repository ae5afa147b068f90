using Microsoft.Extensions.Logging;

namespace MoxApi.Migrations.Cluster;

/// <summary>
/// A PostgreSQL of our own below the data folder, for who has not configured one: the same engine, schema and SQL as in production, reached by a
/// Unix socket only. While it is open as <see cref="ClusterUse.Server"/> it is started again whenever it dies.
/// </summary>
public sealed partial class PrivateCluster : IAsyncDisposable
{
    private static readonly TimeSpan FirstBackOff = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Healthy = TimeSpan.FromMinutes(1);

    private readonly ClusterOnDisk cluster;
    private ClusterLock? heldLock;
    private readonly CancellationTokenSource closing = new();
    private readonly Task supervision;
    private volatile Postmaster server;
    private bool disposed;

    private PrivateCluster(ClusterOnDisk cluster, Postmaster server, ClusterLock? heldLock, ClusterUse use)
    {
        this.cluster = cluster;
        this.server = server;
        this.heldLock = heldLock;
        supervision = use is ClusterUse.Server ? SuperviseAsync(closing.Token) : Task.CompletedTask;
    }

    /// <summary>For Npgsql: the owner of the database <c>moxapi</c>. It stays the same when PostgreSQL is restarted, until we close.</summary>
    public string ConnectionString => cluster.ConnectionString(server.SocketFolder);

    /// <summary>The process of the PostgreSQL server; another one after a restart.</summary>
    public int ProcessId => server.ProcessId;

    /// <summary>The same as superuser, for tests.</summary>
    internal string AdminConnectionString => cluster.AdminConnectionString(server.SocketFolder);

    internal ClusterHome Home => cluster.Home;

    /// <summary>Opens the cluster of a data folder: finds or makes it, finds it running or starts it.</summary>
    /// <param name="dataFolder">The data folder; made where absent.</param>
    /// <param name="use">Whether we are the program, which owns the cluster, or a command, which uses that of a running program.</param>
    /// <param name="options">The logger, the clock and such.</param>
    /// <param name="cancellationToken">Ends the opening; what was started is stopped.</param>
    /// <exception cref="PrivateClusterException">
    /// Another server has the data folder, no PostgreSQL of a usable version is installed, or it does not start.
    /// </exception>
    public static async Task<PrivateCluster> OpenAsync(
        string dataFolder, ClusterUse use, PrivateClusterOptions? options = null, CancellationToken cancellationToken = default)
    {
        options ??= new PrivateClusterOptions();
        var folder = DataFolder.Prepare(dataFolder);
        var since = options.Time.GetTimestamp();
        while (true)
        {
            if (ClusterLock.TryTake(folder, use) is { } taken) return await OwnAsync(folder, use, taken, options, cancellationToken);
            var holder = ClusterLock.ReadHolder(folder);
            if (holder?.Use is ClusterUse.Server)
            {
                if (use is ClusterUse.Server) throw InUse(folder, holder);
                if (await TryAttachAsync(folder, options, cancellationToken) is { } attached) return attached;
            }
            // A command that holds the lock stops PostgreSQL at its end, so it is waited for, not joined.
            if (options.Time.GetElapsedTime(since) > options.Patience) throw InUse(folder, holder);
            await Task.Delay(FirstBackOff, options.Time, cancellationToken);
        }
    }

    /// <summary>Stops PostgreSQL where we own it. Close everything that uses the connection string first.</summary>
    public async ValueTask DisposeAsync()
    {
        if (Interlocked.Exchange(ref disposed, true)) return;
        await closing.CancelAsync();
        await supervision.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (heldLock is { } held)
        {
            await server.StopAsync();
            await SocketFolder.DeleteAsync(server.SocketFolder, cluster.User, CancellationToken.None);
            Log.Stopped(cluster.Options.Logger, server.ProcessId);
            held.Dispose();
        }
        server.Dispose();
        closing.Dispose();
    }

    /// <summary>Gives the cluster up as the death of this process would: PostgreSQL runs on, and nobody owns it. For tests.</summary>
    internal async Task AbandonAsync()
    {
        await closing.CancelAsync();
        await supervision.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        heldLock?.Dispose();
        heldLock = null;
    }

    private static async Task<PrivateCluster> OwnAsync(
        string folder, ClusterUse use, ClusterLock taken, PrivateClusterOptions options, CancellationToken cancellationToken)
    {
        try
        {
            var cluster = await ClusterOnDisk.PrepareAsync(folder, options, cancellationToken);
            var server = await Postmaster.FindAsync(cluster, cancellationToken);
            if (server is not null) Log.Adopted(options.Logger, server.ProcessId);
            else
            {
                server = await StartAsync(cluster, cancellationToken);
                Log.Started(options.Logger, server.ProcessId);
            }
            return new PrivateCluster(cluster, server, taken, use);
        }
        catch
        {
            taken.Dispose();
            throw;
        }
    }

    private static async Task<PrivateCluster?> TryAttachAsync(string folder, PrivateClusterOptions options, CancellationToken cancellationToken)
    {
        if (await ClusterOnDisk.TryReadAsync(folder, options, cancellationToken) is not { } cluster) return null;
        return await Postmaster.FindAsync(cluster, cancellationToken) is { } server
            ? new PrivateCluster(cluster, server, heldLock: null, ClusterUse.Command)
            : null;
    }

    private static async Task<Postmaster> StartAsync(ClusterOnDisk cluster, CancellationToken cancellationToken)
    {
        var stale = await PostmasterFile.ReadAsync(cluster.Home, cancellationToken);
        await SocketFolder.DeleteAsync(stale?.SocketFolder, cluster.User, cancellationToken);
        var socketFolder = await SocketFolder.MakeAsync(cluster.User, cancellationToken);
        try
        {
            return await Postmaster.StartAsync(cluster, socketFolder, cancellationToken);
        }
        catch
        {
            await SocketFolder.DeleteAsync(socketFolder, cluster.User, CancellationToken.None);
            throw;
        }
    }

    private async Task SuperviseAsync(CancellationToken stop)
    {
        var backOff = FirstBackOff;
        while (true)
        {
            var since = cluster.Time.GetTimestamp();
            await server.WaitForExitAsync(stop);
            if (cluster.Time.GetElapsedTime(since) > Healthy) backOff = FirstBackOff;
            Log.Died(cluster.Options.Logger, server.ProcessId);
            backOff = await RestartAsync(backOff, stop);
        }
    }

    /// <summary>Tries until it runs again, in the same socket folder so that the connection string stays true.</summary>
    private async Task<TimeSpan> RestartAsync(TimeSpan backOff, CancellationToken stop)
    {
        while (true)
        {
            await Task.Delay(backOff, cluster.Time, stop);
            backOff = backOff * 2 < LongestBackOff ? backOff * 2 : LongestBackOff;
            try
            {
                var dead = server;
                server = await Postmaster.StartAsync(cluster, dead.SocketFolder, stop);
                dead.Dispose();
                Log.Started(cluster.Options.Logger, server.ProcessId);
                return backOff;
            }
            // Whatever it is (backends of the dead server still there, a full disk), trying again is all that helps.
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                Log.RestartFailed(cluster.Options.Logger, e);
            }
        }
    }

    private static PrivateClusterException InUse(string folder, ClusterLock.Holder? holder) =>
        new($"The data folder {folder} is in use by another moxapi{(holder is { ProcessId: var id } ? $" (process {id})" : "")}. "
            + "Stop that one, or choose another data folder with --data-dir.");

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL is running, process {ProcessId}")]
        public static partial void Started(ILogger logger, int processId);

        [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL was still running, process {ProcessId}")]
        public static partial void Adopted(ILogger logger, int processId);

        [LoggerMessage(Level = LogLevel.Error, Message = "PostgreSQL, process {ProcessId}, died and is started again")]
        public static partial void Died(ILogger logger, int processId);

        [LoggerMessage(Level = LogLevel.Error, Message = "PostgreSQL did not start again; it is tried further")]
        public static partial void RestartFailed(ILogger logger, Exception exception);

        [LoggerMessage(Level = LogLevel.Information, Message = "PostgreSQL, process {ProcessId}, is stopped")]
        public static partial void Stopped(ILogger logger, int processId);
    }
}
