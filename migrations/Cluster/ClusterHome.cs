using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MoxApi.Migrations.Cluster;

/// <summary>The folder that belongs to the cluster's user: <c>data</c> (the cluster), <c>making-…</c> (one being made) and the server's log.</summary>
/// <param name="Path">The physical path, without links.</param>
internal sealed record ClusterHome(string Path)
{
    private const string SharedRoot = "/var/lib/moxapi";

    /// <summary>PostgreSQL's data directory.</summary>
    public string Data => System.IO.Path.Combine(Path, "data");

    /// <summary>How the folders of clusters that are not complete begin; the holder of the lock may delete them.</summary>
    public string MakingPrefix => System.IO.Path.Combine(Path, "making-");

    /// <summary>What the server writes to its standard error.</summary>
    public string LogFile => System.IO.Path.Combine(Path, "server.log");

    /// <summary>The major version of the PostgreSQL that made the cluster, or null where there is none.</summary>
    public int? Major
    {
        get
        {
            try
            {
                return int.Parse(File.ReadAllText(System.IO.Path.Combine(Data, "PG_VERSION")).Trim(), CultureInfo.InvariantCulture);
            }
            catch (Exception e) when (e is DirectoryNotFoundException or FileNotFoundException)
            {
                return null;
            }
        }
    }

    /// <summary>
    /// Finds or makes the home of a data folder: <c>postgres</c> inside it, or, where root's data folder cannot be reached by the user
    /// <c>postgres</c> (below a home of mode 0700), a folder in <c>/var/lib/moxapi</c> that <c>postgres</c> there is a link to.
    /// </summary>
    public static async Task<ClusterHome> PrepareAsync(string dataFolder, ClusterUser user, CancellationToken cancellationToken)
    {
        var home = PathIn(dataFolder);
        if (!Directory.Exists(home))
        {
            if (new FileInfo(home).LinkTarget is { } gone)
                throw new PrivateClusterException($"The cluster of {dataFolder} was in {gone}, which is gone. Restore it, or delete the link {home} to begin anew.");
            if (!user.IsOther || await CanReachAsync(dataFolder, user, cancellationToken)) await MakeAsync(home, user, cancellationToken);
            else File.CreateSymbolicLink(home, await MakeSharedAsync(dataFolder, user, cancellationToken));
        }
        return await LookAsync(home, user, cancellationToken);
    }

    /// <summary>Finds the home of a data folder without making it.</summary>
    public static async Task<ClusterHome?> FindAsync(string dataFolder, ClusterUser user, CancellationToken cancellationToken) =>
        Directory.Exists(PathIn(dataFolder)) ? await LookAsync(PathIn(dataFolder), user, cancellationToken) : null;

    private static string PathIn(string dataFolder) => System.IO.Path.Combine(dataFolder, "postgres");

    /// <summary>The user itself looks: it must be able to enter, and own the place.</summary>
    private static async Task<ClusterHome> LookAsync(string home, ClusterUser user, CancellationToken cancellationToken)
    {
        // The data folder above a link may be closed to the user; the link's target is not.
        var target = Directory.ResolveLinkTarget(home, returnFinalTarget: true)?.FullName ?? home;
        var look = await user.RunAsync("/bin/sh", ["-c", "cd -- \"$1\" && test -O . && pwd -P", "sh", target], cancellationToken);
        return look.Succeeded
            ? new ClusterHome(look.Output.TrimEnd('\n'))
            : throw new PrivateClusterException(
                $"The cluster in {home} cannot be used by the user {user.Name}. Run as the user who made it, or choose another data folder with --data-dir.");
    }

    private static async Task<bool> CanReachAsync(string folder, ClusterUser user, CancellationToken cancellationToken) =>
        (await user.RunAsync("/bin/sh", ["-c", "cd -- \"$1\"", "sh", folder], cancellationToken)).Succeeded;

    private static Task<string> MakeAsync(string path, ClusterUser owner, CancellationToken cancellationToken) =>
        ClusterUser.Ourselves.RunOrThrowAsync("install", ["-d", "-m", "0700", .. owner.IsOther ? ["-o", owner.Name] : (string[])[], "--", path], cancellationToken);

    private static async Task<string> MakeSharedAsync(string dataFolder, ClusterUser owner, CancellationToken cancellationToken)
    {
        await ClusterUser.Ourselves.RunOrThrowAsync("install", ["-d", "-m", "0711", "--", SharedRoot], cancellationToken);
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataFolder)))[..16];
        // A data folder that was deleted and made anew has a new password: the old cluster is of no use to it, and not ours to delete.
        var path = Enumerable.Range(1, int.MaxValue)
            .Select(n => System.IO.Path.Combine(SharedRoot, n == 1 ? hash : string.Create(CultureInfo.InvariantCulture, $"{hash}-{n}")))
            .First(candidate => !System.IO.Path.Exists(candidate));
        await MakeAsync(path, owner, cancellationToken);
        return path;
    }
}
