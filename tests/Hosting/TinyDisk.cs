using System.Diagnostics;
using System.Globalization;
using Xunit;

namespace MoxApi.Tests.Hosting;

/// <summary>A file system of a few MiB in a folder of its own, which can be filled up and freed. Only root can mount one: for others the test is skipped.</summary>
internal sealed class TinyDisk : IDisposable
{
    private const int BlockSize = 64 * 1024;

    private readonly string mountPoint;

    private TinyDisk(string mountPoint) => this.mountPoint = mountPoint;

    /// <summary>A folder on it that everybody may write to.</summary>
    public string FullName => Path.Combine(mountPoint, "disk");

    private string Ballast => Path.Combine(mountPoint, "ballast");

    /// <summary>Mounts it.</summary>
    /// <param name="megabytes">MiB.</param>
    public static TinyDisk Mount(int megabytes)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "Only root can mount a small file system.");
        var disk = new TinyDisk(Path.Combine("/tmp", $"moxapi-disk-{Guid.NewGuid():N}"));
        Directory.CreateDirectory(disk.mountPoint);
        var (exitCode, fault) = Run("mount", "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={megabytes}m,mode=0755"), "moxapi-test", disk.mountPoint);
        if (exitCode != 0) Directory.Delete(disk.mountPoint);
        Assert.SkipUnless(exitCode == 0, $"A small file system cannot be mounted here: {fault}");
        Directory.CreateDirectory(disk.FullName);
        File.SetUnixFileMode(disk.FullName, (UnixFileMode)0b111_111_111);
        return disk;
    }

    /// <summary>Takes all the room that is left, to the last octet, also what was given back since it was filled before.</summary>
    public void Fill()
    {
        using var ballast = new FileStream(Ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        for (var size = BlockSize; size > 0;)
        {
            try
            {
                ballast.Write(new byte[size]);
            }
            catch (IOException)
            {
                size /= 2;
            }
        }
    }

    /// <summary>Gives the room back.</summary>
    public void Free() => File.Delete(Ballast);

    public void Dispose()
    {
        // Lazily: somebody may still have a file open that he has deleted.
        Run("umount", "--lazy", mountPoint);
        Directory.Delete(mountPoint);
    }

    private static (int ExitCode, string Fault) Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardError = true })!;
        var fault = process.StandardError.ReadToEnd();
        process.WaitForExit();
        return (process.ExitCode, fault.Trim());
    }
}
