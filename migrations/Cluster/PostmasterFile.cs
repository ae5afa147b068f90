using System.Globalization;

namespace MoxApi.Migrations.Cluster;

/// <summary>What the <c>postmaster.pid</c> of a data directory says about the server that wrote it, which may be long dead.</summary>
/// <param name="ProcessId">The server's process.</param>
/// <param name="SocketFolder">The folder of its socket, or null when it had not come so far.</param>
internal sealed record PostmasterFile(int ProcessId, string? SocketFolder)
{
    /// <summary>Reads the file, or answers null where there is none that makes sense.</summary>
    public static async Task<PostmasterFile?> ReadAsync(ClusterHome home, CancellationToken cancellationToken)
    {
        string[] lines;
        try
        {
            lines = await File.ReadAllLinesAsync(Path.Combine(home.Data, "postmaster.pid"), cancellationToken);
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
        // Lines: pid, data directory, start time, port, socket directory, …
        return lines.Length > 0 && int.TryParse(lines[0], CultureInfo.InvariantCulture, out var pid) && pid > 1
            ? new PostmasterFile(pid, lines.Length > 4 && lines[4].StartsWith('/') ? lines[4] : null)
            : null;
    }

    /// <summary>Whether that process is still a server of this data directory, and not another one that got its number since.</summary>
    public async Task<bool> IsAliveAsync(ClusterHome home, ClusterUser user, CancellationToken cancellationToken)
    {
        // A PostgreSQL server works inside its data directory. Root in a container may not look at another user's process: the user itself may.
        var link = string.Create(CultureInfo.InvariantCulture, $"/proc/{ProcessId}/cwd");
        var folder = await user.RunAsync("readlink", ["--", link], cancellationToken);
        return folder.Succeeded && folder.Output.TrimEnd('\n') == home.Data;
    }
}
