using System.Diagnostics;
using System.Globalization;
using MoxApi.Migrations.Cluster;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Cluster;

public sealed class PrivateClusterTests : IDisposable
{
    private static readonly PrivateClusterOptions WithoutSync = new() { Settings = new Dictionary<string, string> { ["fsync"] = "off" } };

    private readonly TemporaryFolder folder = new();
    private readonly CancellationTokenSource deadline = new(TimeSpan.FromMinutes(3));

    private CancellationToken Ct => deadline.Token;

    public void Dispose()
    {
        deadline.Dispose();
        folder.Dispose();
    }

    [Fact]
    public async Task A_new_cluster_is_durable_closed_to_the_network_and_asks_for_a_password()
    {
        await using var cluster = await PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server, cancellationToken: Ct);

        Assert.Equal("on", await ShowAsync(cluster, "fsync"));
        Assert.Equal("on", await ShowAsync(cluster, "full_page_writes"));
        Assert.Equal("on", await ShowAsync(cluster, "synchronous_commit"));
        Assert.Equal("on", await ShowAsync(cluster, "data_checksums"));
        Assert.Equal("", await ShowAsync(cluster, "listen_addresses"));
        Assert.Equal("UTF8", await ShowAsync(cluster, "server_encoding"));
        Assert.Equal("UTC", await ShowAsync(cluster, "timezone"));
        Assert.Equal("off", await ShowAsync(cluster, "is_superuser"));
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(folder.Combine("postgres.password")));
        var wrong = new NpgsqlConnectionStringBuilder(cluster.ConnectionString) { Password = "wrong", Pooling = false }.ConnectionString;
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => QueryAsync(wrong, "SELECT 1"));
        Assert.Equal(PostgresErrorCodes.InvalidPassword, refusal.SqlState);
    }

    [Fact]
    public async Task What_was_committed_is_there_after_a_stop_and_a_start()
    {
        await using (var first = await OpenAsync()) await QueryAsync(first.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS n");

        await using var second = await OpenAsync();

        Assert.Equal(42, await QueryAsync(second.ConnectionString, "SELECT n FROM kept"));
    }

    [Fact]
    public async Task A_stop_leaves_no_process_and_no_socket_folder()
    {
        var cluster = await OpenAsync();
        var pid = cluster.ProcessId;
        var socketFolder = SocketFolderOf(cluster);
        Assert.True(Directory.Exists(socketFolder));

        await cluster.DisposeAsync();

        Assert.False(Directory.Exists($"/proc/{pid}"));
        Assert.False(Directory.Exists(socketFolder));
    }

    [Fact]
    public async Task PostgreSQL_has_a_session_of_its_own_so_that_a_Ctrl_C_does_not_reach_it()
    {
        await using var cluster = await OpenAsync();

        // proc_pid_stat(5): after the name in parentheses come state, parent, process group, session.
        var stat = await File.ReadAllTextAsync($"/proc/{cluster.ProcessId}/stat", Ct);
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');

        Assert.Equal(cluster.ProcessId.ToString(CultureInfo.InvariantCulture), fields[2]);
        Assert.Equal(cluster.ProcessId.ToString(CultureInfo.InvariantCulture), fields[3]);
    }

    [Fact]
    public async Task PostgreSQL_is_started_again_when_it_is_killed_and_keeps_its_address_and_data()
    {
        await using var cluster = await OpenAsync();
        var connectionString = cluster.ConnectionString;
        await QueryAsync(connectionString, "CREATE TABLE kept AS SELECT 42 AS n");
        for (var round = 0; round < 2; round++)
        {
            var killed = cluster.ProcessId;
            Kill(killed);

            while (cluster.ProcessId == killed) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);

            Assert.Equal(connectionString, cluster.ConnectionString);
            Assert.Equal(42, await QueryAsync(connectionString, "SELECT n FROM kept"));
        }
    }

    [Fact]
    public async Task A_server_that_outlived_its_program_is_adopted_and_stopped_at_the_end()
    {
        var pid = await AbandonAsync();

        var adopted = await OpenAsync();
        Assert.Equal(pid, adopted.ProcessId);
        Assert.Equal(1, await QueryAsync(adopted.ConnectionString, "SELECT 1"));
        await adopted.DisposeAsync();

        Assert.False(Directory.Exists($"/proc/{pid}"));
    }

    [Fact]
    public async Task An_adopted_server_is_started_again_when_it_is_killed()
    {
        var pid = await AbandonAsync();
        await using var adopted = await OpenAsync();
        Kill(pid);

        while (adopted.ProcessId == pid) await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Ct);

        Assert.Equal(1, await QueryAsync(adopted.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_cluster_whose_program_and_server_were_both_killed_starts_again_and_the_old_socket_folder_goes()
    {
        string socketFolder;
        await using (var cluster = await OpenAsync())
        {
            socketFolder = SocketFolderOf(cluster);
            await cluster.AbandonAsync();
            Kill(cluster.ProcessId);
        }
        Assert.True(Directory.Exists(socketFolder));

        await using var again = await OpenAsync();

        Assert.Equal(1, await QueryAsync(again.ConnectionString, "SELECT 1"));
        Assert.False(Directory.Exists(socketFolder));
    }

    [Fact]
    public async Task A_stale_pid_file_with_the_number_of_another_process_does_not_stop_the_start()
    {
        string pidFile;
        await using (var cluster = await OpenAsync()) pidFile = Path.Combine(cluster.Home.Data, "postmaster.pid");
        using var bystander = ClusterUser.Current.StartDetached("sleep", ["300"], "/dev/null", new Dictionary<string, string>());
        try
        {
            var lines = $"{bystander.Id}\n{Path.GetDirectoryName(pidFile)}\n1700000000\n5432\n/tmp/moxapi-gone\n\n  0 0\nready   \n";
            await ClusterUser.Current.WriteFileAsync(pidFile, lines, Ct);

            await using var cluster = await OpenAsync();

            Assert.NotEqual(bystander.Id, cluster.ProcessId);
            Assert.Equal(1, await QueryAsync(cluster.ConnectionString, "SELECT 1"));
            Assert.False(bystander.HasExited);
        }
        finally
        {
            bystander.Kill();
        }
    }

    [Fact]
    public async Task A_cluster_that_was_only_half_made_is_made_anew()
    {
        DataFolder.Prepare(folder.FullName);
        var home = await ClusterHome.PrepareAsync(folder.FullName, ClusterUser.Current, Ct);
        await ClusterUser.Current.RunOrThrowAsync("mkdir", ["-p", "--", home.MakingPrefix + "x/data/base"], Ct);
        await ClusterUser.Current.WriteFileAsync(home.MakingPrefix + "x/data/PG_VERSION", "15\n", Ct);

        await using var cluster = await OpenAsync();

        Assert.Equal(1, await QueryAsync(cluster.ConnectionString, "SELECT 1"));
        Assert.False(Directory.Exists(home.MakingPrefix + "x"));
    }

    [Fact]
    public async Task An_opening_that_is_canceled_at_any_moment_leaves_a_folder_that_opens()
    {
        foreach (var milliseconds in (int[])[30, 150, 400, 700, 1000])
        {
            using var canceled = new CancellationTokenSource(TimeSpan.FromMilliseconds(milliseconds));
            try
            {
                await (await PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server, WithoutSync, canceled.Token)).DisposeAsync();
            }
            catch (OperationCanceledException)
            {
                // The expected end.
            }
        }

        await using var cluster = await OpenAsync();

        Assert.Equal(1, await QueryAsync(cluster.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_second_server_on_the_same_data_folder_is_refused_and_told_who_has_it()
    {
        await using var first = await OpenAsync();

        var refusal = await Assert.ThrowsAsync<PrivateClusterException>(() => OpenAsync());

        Assert.Contains($"process {Environment.ProcessId}", refusal.Message, StringComparison.Ordinal);
        Assert.Contains(folder.FullName, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(1, await QueryAsync(first.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_command_uses_the_cluster_of_the_running_server_and_leaves_it_running()
    {
        await using var server = await OpenAsync();

        await using (var command = await OpenAsync(ClusterUse.Command))
        {
            Assert.Equal(server.ProcessId, command.ProcessId);
            Assert.Equal(1, await QueryAsync(command.ConnectionString, "SELECT 1"));
        }

        Assert.Equal(1, await QueryAsync(server.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_command_alone_starts_the_cluster_and_stops_it_at_its_end()
    {
        var command = await OpenAsync(ClusterUse.Command);
        Assert.Equal(1, await QueryAsync(command.ConnectionString, "SELECT 1"));
        var pid = command.ProcessId;

        await command.DisposeAsync();

        Assert.False(Directory.Exists($"/proc/{pid}"));
    }

    [Fact]
    public async Task A_server_and_a_second_command_wait_for_a_command_that_has_the_cluster()
    {
        var command = await OpenAsync(ClusterUse.Command);
        var server = OpenAsync();
        var second = OpenAsync(ClusterUse.Command);
        Assert.Equal(1, await QueryAsync(command.ConnectionString, "SELECT 1"));
        Assert.False(server.IsCompleted);
        Assert.False(second.IsCompleted);

        await command.DisposeAsync();

        // In either order: the second command joins the server, or runs before it.
        if (await Task.WhenAny(server, second) == second) await (await second).DisposeAsync();
        await using var running = await server;
        await (await second).DisposeAsync();
        Assert.Equal(1, await QueryAsync(running.ConnectionString, "SELECT 1"));
    }

    [Fact]
    public async Task A_data_folder_with_a_path_of_more_than_120_characters_works()
    {
        var path = folder.Combine(new string('a', 60), new string('b', 60), "it's \"data\" $HOME");
        Assert.True(path.Length > 150);

        await using var cluster = await PrivateCluster.OpenAsync(path, ClusterUse.Server, WithoutSync, Ct);

        Assert.Equal(1, await QueryAsync(cluster.ConnectionString, "SELECT 1"));
        Assert.InRange(SocketFolderOf(cluster).Length + "/.s.PGSQL.5432".Length, 1, 107);
    }

    [Fact]
    public async Task Below_a_closed_home_roots_cluster_lives_where_postgres_can_reach_it()
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root runs PostgreSQL as another user.");
        Directory.CreateDirectory(folder.FullName, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var data = folder.Combine("data");
        string home;
        await using (var cluster = await PrivateCluster.OpenAsync(data, ClusterUse.Server, WithoutSync, Ct))
        {
            home = cluster.Home.Path;
            await QueryAsync(cluster.ConnectionString, "CREATE TABLE kept AS SELECT 42 AS n");
        }
        try
        {
            Assert.StartsWith("/var/lib/moxapi/", home, StringComparison.Ordinal);
            // A moved data folder takes its cluster along.
            Directory.Move(data, folder.Combine("moved"));
            await using var moved = await PrivateCluster.OpenAsync(folder.Combine("moved"), ClusterUse.Server, WithoutSync, Ct);
            Assert.Equal(42, await QueryAsync(moved.ConnectionString, "SELECT n FROM kept"));
        }
        finally
        {
            Directory.Delete(home, recursive: true);
        }
    }

    [Fact]
    public async Task A_cluster_whose_folder_elsewhere_is_gone_is_not_silently_made_anew()
    {
        DataFolder.Prepare(folder.FullName);
        File.CreateSymbolicLink(folder.Combine("postgres"), folder.Combine("gone"));

        var refusal = await Assert.ThrowsAsync<PrivateClusterException>(() => OpenAsync());

        Assert.Contains(folder.Combine("gone"), refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_of_another_version_is_refused_with_what_to_install()
    {
        DataFolder.Prepare(folder.FullName);
        var home = await ClusterHome.PrepareAsync(folder.FullName, ClusterUser.Current, Ct);
        await ClusterUser.Current.RunOrThrowAsync("mkdir", ["--", home.Data], Ct);
        await ClusterUser.Current.WriteFileAsync(Path.Combine(home.Data, "PG_VERSION"), "9\n", Ct);

        var refusal = await Assert.ThrowsAsync<PrivateClusterException>(() => OpenAsync());

        Assert.Contains("made by PostgreSQL 9", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("postgresql-9", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_cannot_start_says_why()
    {
        var options = new PrivateClusterOptions { Settings = new Dictionary<string, string> { ["shared_buffers"] = "much" } };

        var failure = await Assert.ThrowsAsync<PrivateClusterException>(() =>
            PrivateCluster.OpenAsync(folder.FullName, ClusterUse.Server, options, Ct));

        Assert.Contains("invalid value for parameter \"shared_buffers\"", failure.Message, StringComparison.Ordinal);
        await (await OpenAsync()).DisposeAsync();
    }

    [Fact]
    public async Task The_log_of_PostgreSQL_has_no_contents_of_failed_statements()
    {
        await using var cluster = await OpenAsync();
        await QueryAsync(cluster.ConnectionString, "CREATE TABLE t (n int CHECK (n > 0), secret text)");

        await Assert.ThrowsAsync<PostgresException>(() => QueryAsync(cluster.ConnectionString, "INSERT INTO t VALUES (-1, 'hunter2')"));

        var log = await File.ReadAllTextAsync(cluster.Home.LogFile, Ct);
        Assert.Contains("violates check constraint", log, StringComparison.Ordinal);
        Assert.DoesNotContain("hunter2", log, StringComparison.Ordinal);
    }

    private Task<PrivateCluster> OpenAsync(ClusterUse use = ClusterUse.Server) =>
        PrivateCluster.OpenAsync(folder.FullName, use, WithoutSync, Ct);

    /// <summary>Leaves what a program that was killed leaves: a running server that nobody owns.</summary>
    private async Task<int> AbandonAsync()
    {
        await using var cluster = await OpenAsync();
        await cluster.AbandonAsync();
        return cluster.ProcessId;
    }

    private static string SocketFolderOf(PrivateCluster cluster) => new NpgsqlConnectionStringBuilder(cluster.ConnectionString).Host!;

    private static void Kill(int processId)
    {
        using var process = Process.GetProcessById(processId);
        process.Kill();
    }

    private Task<object?> ShowAsync(PrivateCluster cluster, string setting) => QueryAsync(cluster.ConnectionString, $"SHOW {setting}");

    private async Task<object?> QueryAsync(string connectionString, string sql)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString;
        await using var connection = new NpgsqlConnection(unpooled);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync(Ct);
    }
}
