namespace MoxApi.Migrations.Cluster;

/// <summary>
/// The folder of the Unix socket: a fresh one per start with an unguessable name, made by <c>mktemp</c> with mode 0700, so that nobody can have
/// placed anything there. It is in <c>/tmp</c> because the path of a socket has at most 107 bytes, and a data folder's may be longer.
/// </summary>
internal static class SocketFolder
{
    private const string Prefix = "/tmp/moxapi-";

    public static async Task<string> MakeAsync(ClusterUser user, CancellationToken cancellationToken) =>
        (await user.RunOrThrowAsync("mktemp", ["-d", Prefix + "XXXXXXXXXX"], cancellationToken)).TrimEnd('\n');

    /// <summary>Deletes a folder of ours; another, from a file that says so, stays.</summary>
    public static async Task DeleteAsync(string? folder, ClusterUser user, CancellationToken cancellationToken)
    {
        if (folder is null || !folder.StartsWith(Prefix, StringComparison.Ordinal) || folder.AsSpan(Prefix.Length).Contains('/')) return;
        await user.RunAsync("rm", ["-rf", "--", folder], cancellationToken);
    }
}
