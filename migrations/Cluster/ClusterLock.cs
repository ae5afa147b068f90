using System.Globalization;

namespace MoxApi.Migrations.Cluster;

/// <summary>
/// The right to start and stop the cluster of a data folder. It is a lock of the operating system on a file, so it ends with the process that
/// holds it, however that ends. A second file, which can be read meanwhile, tells who it is.
/// </summary>
internal sealed class ClusterLock : IDisposable
{
    private readonly FileStream file;
    private readonly string dataFolder;

    private ClusterLock(FileStream file, string dataFolder)
    {
        this.file = file;
        this.dataFolder = dataFolder;
    }

    /// <summary>Who holds the lock.</summary>
    public sealed record Holder(ClusterUse Use, int ProcessId);

    /// <summary>Takes the lock, or answers null when another process has it.</summary>
    public static ClusterLock? TryTake(string dataFolder, ClusterUse use)
    {
        var path = Path.Combine(dataFolder, "moxapi.lock");
        try
        {
            var file = new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = FileAccess.ReadWrite,
                Share = FileShare.None,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            });
            File.WriteAllText(HolderFile(dataFolder), string.Create(CultureInfo.InvariantCulture, $"{use} {Environment.ProcessId}\n"));
            return new ClusterLock(file, dataFolder);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new PrivateClusterException(
                $"The data folder {dataFolder} cannot be written by this user. Run as its owner, or choose another with --data-dir.", e);
        }
        // .NET reports a lock held elsewhere as a plain IOException; its subclasses are other troubles, such as a folder that is gone.
        catch (IOException e) when (e.GetType() == typeof(IOException) && File.Exists(path))
        {
            return null;
        }
    }

    /// <summary>Reads who holds the lock, after <see cref="TryTake"/> failed; null while that one is taking it or giving it back.</summary>
    public static Holder? ReadHolder(string dataFolder)
    {
        try
        {
            var words = File.ReadAllText(HolderFile(dataFolder)).Split((char[])[' ', '\n']);
            // The file of a process that was killed stays until the next one writes its own.
            return words.Length > 1 && Enum.TryParse<ClusterUse>(words[0], out var use)
                && int.TryParse(words[1], CultureInfo.InvariantCulture, out var pid) && Directory.Exists($"/proc/{pid}")
                ? new Holder(use, pid)
                : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>Gives the lock back. Its file stays: deleting it would let two processes lock two files of one name.</summary>
    public void Dispose()
    {
        File.Delete(HolderFile(dataFolder));
        file.Dispose();
    }

    private static string HolderFile(string dataFolder) => Path.Combine(dataFolder, "moxapi.pid");
}
