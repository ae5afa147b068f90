namespace MoxApi.Tests.Hosting;

/// <summary>A folder for one test, deleted at its end with everything in it.</summary>
internal sealed class TemporaryFolder : IDisposable
{
    // Not Path.GetTempPath(): where TMPDIR is private to root, the user postgres could not reach it.
    public TemporaryFolder(string parent = "/tmp") => FullName = System.IO.Path.Combine(parent, $"moxapi-test-{Guid.NewGuid():N}");

    /// <summary>The path. The folder does not exist until somebody makes it.</summary>
    public string FullName { get; }

    public string Combine(params ReadOnlySpan<string> parts) => System.IO.Path.Combine([FullName, .. parts]);

    public void Dispose()
    {
        if (Directory.Exists(FullName)) Directory.Delete(FullName, recursive: true);
    }
}
