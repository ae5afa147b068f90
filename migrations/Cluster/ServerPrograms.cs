using System.Globalization;
using System.Text.RegularExpressions;

namespace MoxApi.Migrations.Cluster;

/// <summary>The installed programs of one PostgreSQL version.</summary>
/// <param name="Folder">Where <c>postgres</c>, <c>initdb</c> and <c>pg_ctl</c> are.</param>
/// <param name="Major">The major version, such as 15.</param>
internal sealed partial record ServerPrograms(string Folder, int Major)
{
    /// <summary>The oldest major version whose SQL we rely on.</summary>
    public const int OldestMajor = 15;

    private static readonly string[] InstallationRoots = ["/usr/lib/postgresql", "/usr"];

    public string Postgres => Path.Combine(Folder, "postgres");

    public string InitDb => Path.Combine(Folder, "initdb");

    public string PgCtl => Path.Combine(Folder, "pg_ctl");

    /// <summary>Whether a contrib library is installed beside the programs.</summary>
    public bool HasLibrary(string name) => File.Exists(Path.Combine(Folder, "..", "lib", name + ".so"));

    /// <summary>
    /// Finds the programs for a cluster: of the cluster's own version where it exists, otherwise those on the <c>PATH</c>, otherwise the newest.
    /// </summary>
    /// <param name="clusterMajor">The version that made the cluster, or null for a new one.</param>
    /// <param name="cancellationToken">Ends the search.</param>
    /// <exception cref="PrivateClusterException">None are installed, or none of a usable version.</exception>
    public static Task<ServerPrograms> FindAsync(int? clusterMajor, CancellationToken cancellationToken) =>
        FindAsync(Candidates(Environment.GetEnvironmentVariable("PATH") ?? "", InstallationRoots), clusterMajor, cancellationToken);

    internal static async Task<ServerPrograms> FindAsync(IEnumerable<string> folders, int? clusterMajor, CancellationToken cancellationToken)
    {
        var found = new List<ServerPrograms>();
        foreach (var folder in folders)
        {
            if (await TryAsync(folder, cancellationToken) is not { } programs) continue;
            if (programs.Major == clusterMajor || (clusterMajor is null && programs.Major >= OldestMajor)) return programs;
            found.Add(programs);
        }
        var versions = string.Join(", ", found.Select(p => p.Major.ToString(CultureInfo.InvariantCulture)).Distinct());
        throw new PrivateClusterException((found.Count, clusterMajor) switch
        {
            (0, _) => "No PostgreSQL server programs were found on the PATH or in /usr/lib/postgresql. Install PostgreSQL "
                + "(Debian and Ubuntu: apt-get install postgresql; Fedora: dnf install postgresql-server), or configure the connection string of a server.",
            (_, null) => $"PostgreSQL {OldestMajor} or newer is needed; installed is {versions}.",
            _ => $"The cluster was made by PostgreSQL {clusterMajor}, but installed is {versions}. Install version {clusterMajor} again "
                + $"(Debian: apt-get install postgresql-{clusterMajor}), or move the data with its pg_dump.",
        });
    }

    internal static IEnumerable<string> Candidates(string searchPath, IEnumerable<string> roots)
    {
        var onPath = searchPath.Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries);
        var installed = roots.Where(Directory.Exists)
            .SelectMany(root => Directory.EnumerateDirectories(root))
            .Select(folder => (Folder: folder, Version: VersionFolder().Match(Path.GetFileName(folder))))
            .Where(entry => entry.Version.Success)
            .OrderByDescending(entry => int.Parse(entry.Version.Groups[1].ValueSpan, CultureInfo.InvariantCulture))
            .Select(entry => Path.Combine(entry.Folder, "bin"));
        return onPath.Concat(installed).Select(RealFolder).OfType<string>().Distinct();
    }

    /// <summary>Follows a link such as <c>/usr/local/bin/postgres</c> to the folder that has the other programs too.</summary>
    private static string? RealFolder(string folder)
    {
        var postgres = Path.Combine(folder, "postgres");
        if (!File.Exists(postgres)) return null;
        return Path.GetDirectoryName(File.ResolveLinkTarget(postgres, returnFinalTarget: true)?.FullName ?? postgres);
    }

    private static async Task<ServerPrograms?> TryAsync(string folder, CancellationToken cancellationToken)
    {
        var programs = new ServerPrograms(folder, 0);
        if (!IsNative(programs.Postgres) || !File.Exists(programs.InitDb) || !File.Exists(programs.PgCtl)) return null;
        var answer = await ClusterUser.Ourselves.RunAsync(programs.Postgres, ["--version"], cancellationToken);
        var version = VersionAnswer().Match(answer.Output);
        return answer.Succeeded && version.Success
            ? programs with { Major = int.Parse(version.Groups[1].ValueSpan, CultureInfo.InvariantCulture) }
            : null;
    }

    /// <summary>A wrapper script stays between us and PostgreSQL and swallows signals, so only a real program will do.</summary>
    private static bool IsNative(string path)
    {
        try
        {
            using var file = File.OpenRead(path);
            Span<byte> magic = stackalloc byte[4];
            return file.ReadAtLeast(magic, 4, throwOnEndOfStream: false) == 4 && magic.SequenceEqual("\u007fELF"u8);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    // "15" below /usr/lib/postgresql, "pgsql-15" below /usr.
    [GeneratedRegex(@"^(?:pgsql-)?([0-9]{1,3})\z")]
    private static partial Regex VersionFolder();

    [GeneratedRegex(@"\(PostgreSQL\) ([0-9]{1,3})")]
    private static partial Regex VersionAnswer();
}
