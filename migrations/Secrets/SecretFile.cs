using System.Runtime.InteropServices;

namespace MoxApi.Migrations.Secrets;

/// <summary>A file with a secret that only its owner may read, made once and never changed.</summary>
internal static class SecretFile
{
    private const UnixFileMode OwnerOnly = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const int LargestSize = 4096;

    /// <summary>Reads the secret, or makes it where there is none. Of two processes that make it at once, both get the same one, where the file system has hard links.</summary>
    /// <exception cref="SecretException">The file cannot be read or written, or others may read it.</exception>
    public static string ReadOrCreate(string path, Func<string> create)
    {
        try
        {
            if (!File.Exists(path)) TryCreate(path, create());
            return Read(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SecretException($"The secret in {path} cannot be read or written: {e.Message}", e);
        }
    }

    /// <summary>Reads the secret.</summary>
    /// <exception cref="SecretException">Others may read it too.</exception>
    public static string Read(string path)
    {
        if ((File.GetUnixFileMode(path) & ~OwnerOnly) != 0)
            throw new SecretException($"The secret in {path} can be read by others. Make it private (chmod 600), and replace it if they may have read it.");
        using var file = File.OpenText(path);
        var text = new char[LargestSize];
        return new string(text, 0, file.ReadBlock(text)).Trim();
    }

    /// <summary>The file appears under its name with its whole content, and only where there was none.</summary>
    private static void TryCreate(string path, string secret)
    {
        var draft = $"{path}.{Guid.NewGuid():N}";
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!, OwnerOnly | UnixFileMode.UserExecute);
        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None, UnixCreateMode = OwnerOnly };
        try
        {
            using (var file = new FileStream(draft, options))
            {
                file.Write(System.Text.Encoding.ASCII.GetBytes(secret + "\n"));
                file.Flush(flushToDisk: true);
            }
            GiveName(draft, path);
        }
        catch (IOException) when (File.Exists(path))
        {
            // Another process was first: its secret counts.
        }
        finally
        {
            File.Delete(draft);
        }
    }

    // File.Move looks whether there is a file of that name and renames then: of two at once both would be first. link(2) fails where there is one (POSIX.1-2024). The
    // move is for file systems without hard links.
    private static void GiveName(string draft, string path)
    {
        if (Link(draft, path) != 0 && !File.Exists(path)) File.Move(draft, path, overwrite: false);
    }

    [DllImport("libc", EntryPoint = "link", CharSet = CharSet.Ansi, BestFitMapping = false, ThrowOnUnmappableChar = true)]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static extern int Link(string from, string to);
}
