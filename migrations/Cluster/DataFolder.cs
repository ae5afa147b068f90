namespace MoxApi.Migrations.Cluster;

/// <summary>The folder that holds everything a program in local mode keeps: keys, the lock, and the cluster.</summary>
public static class DataFolder
{
    private const UnixFileMode Private = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Makes the folder where it is absent.</summary>
    /// <returns>Its absolute path.</returns>
    /// <exception cref="PrivateClusterException">The folder cannot be made or written.</exception>
    public static string Prepare(string path)
    {
        var folder = Path.TrimEndingDirectorySeparator(Path.GetFullPath(path));
        // PostgreSQL runs as another user where we are root, and has to pass through to its own folder inside.
        var mode = Environment.IsPrivilegedProcess ? Private | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute : Private;
        try
        {
            if (!Directory.Exists(folder)) Directory.CreateDirectory(folder, mode);
            return folder;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new PrivateClusterException($"The data folder {folder} cannot be made: {e.Message} Choose another with --data-dir.", e);
        }
    }
}
