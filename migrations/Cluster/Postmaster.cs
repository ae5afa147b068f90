using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using Npgsql;

namespace MoxApi.Migrations.Cluster;

/// <summary>A running PostgreSQL server of our cluster, started by us or found running.</summary>
internal sealed class Postmaster : IDisposable
{
    private static readonly TimeSpan FirstPoll = TimeSpan.FromMilliseconds(10);
    private static readonly TimeSpan LongestPoll = TimeSpan.FromMilliseconds(160);
    private static readonly TimeSpan FastStop = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HardStop = TimeSpan.FromSeconds(10);

    private readonly ClusterOnDisk cluster;
    private readonly Process process;

    private Postmaster(ClusterOnDisk cluster, Process process, string socketFolder)
    {
        this.cluster = cluster;
        this.process = process;
        SocketFolder = socketFolder;
    }

    public int ProcessId => process.Id;

    public string SocketFolder { get; }

    /// <summary>Finds a server that already runs, such as the orphan of a program that was killed; null when none does.</summary>
    public static async Task<Postmaster?> FindAsync(ClusterOnDisk cluster, CancellationToken cancellationToken)
    {
        for (var poll = FirstPoll; ; poll = await PauseAsync(poll, cluster.Time, cancellationToken))
        {
            var file = await PostmasterFile.ReadAsync(cluster.Home, cancellationToken);
            if (file is null || !await file.IsAliveAsync(cluster.Home, cluster.User, cancellationToken)) return null;
            // Alive, but it may be starting or stopping: either it lets us in, or it goes away.
            if (file.SocketFolder is { } folder && await AcceptsAsync(cluster.ConnectionString(folder), cancellationToken)
                && TryOpen(file.ProcessId) is { } process)
                return new Postmaster(cluster, process, folder);
        }
    }

    /// <summary>Starts a server and returns when it takes connections. The caller holds the lock and knows that none runs.</summary>
    public static async Task<Postmaster> StartAsync(ClusterOnDisk cluster, string socketFolder, CancellationToken cancellationToken)
    {
        var settings = ClusterSettings.Compose(cluster.Programs, socketFolder, cluster.Options.Settings);
        await cluster.User.WriteFileAsync(Path.Combine(cluster.Home.Data, "postgresql.conf"), settings, cancellationToken);
        await cluster.RotateLogAsync(cancellationToken);
        var stale = await PostmasterFile.ReadAsync(cluster.Home, cancellationToken);
        var server = new Postmaster(cluster, Launch(cluster, stale), socketFolder);
        try
        {
            await server.WaitUntilReadyAsync(cancellationToken);
            return server;
        }
        catch
        {
            await server.StopAsync();
            server.Dispose();
            throw;
        }
    }

    public Task WaitForExitAsync(CancellationToken cancellationToken) => process.WaitForExitAsync(cancellationToken);

    /// <summary>Stops the server with its files in order (<c>fast</c>: clients are sent away), or the hard way where that takes too long.</summary>
    public async Task StopAsync()
    {
        if (process.HasExited) return;
        if (!await EndsAfterAsync("INT", FastStop) && !await EndsAfterAsync("QUIT", HardStop)) await EndsAfterAsync("KILL", HardStop);
    }

    public void Dispose() => process.Dispose();

    private static Process Launch(ClusterOnDisk cluster, PostmasterFile? stale)
    {
        var environment = new Dictionary<string, string>();
        // A dead server's number may belong to some other process by now, and PostgreSQL would take that one for the server. This variable is
        // how pg_ctl tells it to look past a process. Deleting postmaster.pid instead would also delete the check for surviving backends.
        if (stale is not null) environment["PG_GRANDPARENT_PID"] = stale.ProcessId.ToString(CultureInfo.InvariantCulture);
        return cluster.User.StartDetached(cluster.Programs.Postgres, ["-D", cluster.Home.Data], cluster.Home.LogFile, environment);
    }

    /// <summary>Polls the socket: without an upper limit, since recovery after a crash takes the time it takes.</summary>
    private async Task WaitUntilReadyAsync(CancellationToken cancellationToken)
    {
        var connectionString = cluster.ConnectionString(SocketFolder);
        for (var poll = FirstPoll; !await AcceptsAsync(connectionString, cancellationToken); poll = await PauseAsync(poll, cluster.Time, cancellationToken))
        {
            if (process.HasExited)
                throw new PrivateClusterException($"PostgreSQL ended with {process.ExitCode} while starting. The end of {cluster.Home.LogFile}:\n{LogTail()}");
        }
    }

    private async Task<bool> EndsAfterAsync(string signal, TimeSpan patience)
    {
        var id = ProcessId.ToString(CultureInfo.InvariantCulture);
        await cluster.User.RunAsync("/bin/sh", ["-c", "kill -s \"$1\" \"$2\"", "sh", signal, id], CancellationToken.None);
        using var deadline = new CancellationTokenSource(patience, cluster.Time);
        try
        {
            await process.WaitForExitAsync(deadline.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    private string LogTail()
    {
        const int size = 2000;
        using var log = new FileStream(cluster.Home.LogFile, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        log.Seek(-Math.Min(size, log.Length), SeekOrigin.End);
        using var reader = new StreamReader(log);
        return reader.ReadToEnd().Trim();
    }

    private static async Task<bool> AcceptsAsync(string connectionString, CancellationToken cancellationToken)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        try
        {
            await connection.OpenAsync(cancellationToken);
            return true;
        }
        // Starting, or stopping.
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.CannotConnectNow or PostgresErrorCodes.AdminShutdown)
        {
            return false;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.TooManyConnections)
        {
            return true;
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidPassword)
        {
            throw new PrivateClusterException("The cluster refuses the password in postgres.password. Restore the file that belongs to it.", e);
        }
        catch (NpgsqlException e) when (e is not PostgresException && e.InnerException is SocketException or IOException or TimeoutException)
        {
            return false;
        }
    }

    private static Process? TryOpen(int processId)
    {
        try
        {
            return Process.GetProcessById(processId);
        }
        catch (ArgumentException)
        {
            return null;
        }
    }

    private static async Task<TimeSpan> PauseAsync(TimeSpan poll, TimeProvider time, CancellationToken cancellationToken)
    {
        await Task.Delay(poll, time, cancellationToken);
        return poll * 2 < LongestPoll ? poll * 2 : LongestPoll;
    }
}
