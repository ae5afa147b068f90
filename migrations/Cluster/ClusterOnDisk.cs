using System.Security.Cryptography;
using MoxApi.Migrations.Secrets;
using Npgsql;

namespace MoxApi.Migrations.Cluster;

/// <summary>A cluster as it lies in its folder, complete and of a version that the installed programs can run.</summary>
internal sealed record ClusterOnDisk(ClusterHome Home, ClusterUser User, ServerPrograms Programs, string Password, PrivateClusterOptions Options)
{
    private const long LargestLog = 8 * 1024 * 1024;

    public TimeProvider Time => Options.Time;

    /// <summary>Finds the cluster of a data folder, or makes it. The caller holds the lock.</summary>
    public static async Task<ClusterOnDisk> PrepareAsync(string dataFolder, PrivateClusterOptions options, CancellationToken cancellationToken)
    {
        var user = ClusterUser.Current;
        var home = await ClusterHome.PrepareAsync(dataFolder, user, cancellationToken);
        var major = home.Major;
        var programs = await ServerPrograms.FindAsync(major, cancellationToken);
        var passwordFile = PasswordFile(dataFolder);
        if (major is not null && !File.Exists(passwordFile))
            throw new PrivateClusterException($"The cluster in {home.Data} is here but its password {passwordFile} is not. Restore that file.");
        var password = SecretFile.ReadOrCreate(passwordFile, () => RandomNumberGenerator.GetHexString(64, lowercase: true));
        if (major is null) await ClusterMaker.MakeAsync(home, programs, user, password, options.IsDurable, cancellationToken);
        return new ClusterOnDisk(home, user, programs, password, options);
    }

    /// <summary>Reads the cluster that another process owns; null while that one has not made it yet.</summary>
    public static async Task<ClusterOnDisk?> TryReadAsync(string dataFolder, PrivateClusterOptions options, CancellationToken cancellationToken)
    {
        var user = ClusterUser.Current;
        if (await ClusterHome.FindAsync(dataFolder, user, cancellationToken) is not { Major: { } major } home) return null;
        var programs = await ServerPrograms.FindAsync(major, cancellationToken);
        return new ClusterOnDisk(home, user, programs, SecretFile.Read(PasswordFile(dataFolder)), options);
    }

    /// <summary>How the program connects: as the owner of its database.</summary>
    public string ConnectionString(string socketFolder) => ConnectionString(socketFolder, ClusterMaker.Role, ClusterMaker.Database);

    /// <summary>How a superuser connects.</summary>
    public string AdminConnectionString(string socketFolder) => ConnectionString(socketFolder, "postgres", "postgres");

    /// <summary>Puts a large log aside; one older log is kept.</summary>
    public async Task RotateLogAsync(CancellationToken cancellationToken)
    {
        var log = new FileInfo(Home.LogFile);
        if (log.Exists && log.Length > LargestLog)
            await User.RunOrThrowAsync("mv", ["-f", "-T", "--", Home.LogFile, Home.LogFile + ".1"], cancellationToken);
    }

    private static string PasswordFile(string dataFolder) => Path.Combine(dataFolder, "postgres.password");

    private string ConnectionString(string socketFolder, string role, string database) => new NpgsqlConnectionStringBuilder
    {
        Host = socketFolder,
        Port = ClusterSettings.Port,
        Username = role,
        Password = Password,
        Database = database,
        ApplicationName = "moxapi",
        // Below max_connections even when a second pool (Hangfire's) is as large, with room for commands and psql.
        MaxPoolSize = 45,
        // Npgsql 10 would otherwise look for Kerberos first.
        GssEncryptionMode = GssEncryptionMode.Disable,
    }.ConnectionString;
}
