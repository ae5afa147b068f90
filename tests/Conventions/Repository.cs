namespace MoxApi.Tests.Conventions;

/// <summary>The sources that these tests were built from.</summary>
internal static class Repository
{
    private static readonly string[] Rooms = ["mail", "openapi", "migrations", "webhooks", "delivery", "inbound", "api", "tests"];

    private static readonly string[] Generated = ["bin", "obj", "node_modules", "artifacts", "TestResults", "data"];

    /// <summary>The folder of <c>MoxApi.sln</c>.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>The files of all rooms with an ending, such as <c>.cs</c>; paths relative to the root, with <c>/</c>.</summary>
    public static IEnumerable<string> Files(params string[] endings) => Rooms
        .SelectMany(room => Below(Path.Combine(Root, room)))
        .Where(file => endings.Any(ending => file.EndsWith(ending, StringComparison.Ordinal)))
        .Select(file => Path.GetRelativePath(Root, file).Replace('\\', '/'));

    /// <summary>The text of a file.</summary>
    public static string Text(string file) => File.ReadAllText(Path.Combine(Root, file));

    private static IEnumerable<string> Below(string folder) => Directory.EnumerateFiles(folder).Concat(Directory.EnumerateDirectories(folder)
        .Where(each => !Generated.Contains(Path.GetFileName(each)))
        .SelectMany(Below));

    private static string FindRoot()
    {
        var folder = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(folder, "MoxApi.sln"))) folder = Path.GetDirectoryName(folder)!;
        return folder;
    }
}
