using System.Diagnostics;
using MoxApi.Tests.Conventions;

namespace MoxApi.Tests.Hosting;

/// <summary>
/// A copy of the script <c>moxapi</c> among sources that are a file each. What it calls is written down and not done: the .NET SDK, the package manager
/// and <c>sudo</c> are scripts too, in front of a system that has only its basic commands.
/// </summary>
internal sealed class Checkout : IDisposable
{
    private static readonly string[] Rooms = ["mail", "openapi", "migrations", "webhooks", "delivery", "inbound", "api", "tests", "tests/bench", "tests/Hosting", "tests/Peers"];

    private static readonly string[] Basic =
        ["sh", "basename", "cat", "dirname", "env", "find", "grep", "id", "mkdir", "mktemp", "mv", "readlink", "rm", "sed", "tee", "touch"];

    private static readonly TimeSpan Deadline = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder folder = new();
    private readonly string commands;

    /// <param name="path">Where below a temporary folder.</param>
    /// <param name="has">Further commands that the system has, which are written down when they are called.</param>
    public Checkout(string path = "moxapi", params string[] has)
    {
        Root = folder.Combine(path);
        commands = folder.Combine("commands");
        foreach (var room in Rooms.Append(commands)) File.WriteAllText(Directory.CreateDirectory(Path.Combine(Root, room)).FullName + "/Source.cs", "");
        foreach (var file in new[] { "global.json", "BannedSymbols.txt", "Directory.Build.props", "tests/Eventually.cs" }) File.WriteAllText(Path.Combine(Root, file), "");
        File.Copy(Path.Combine(Repository.Root, "moxapi"), Path.Combine(Root, "moxapi"));
        foreach (var command in Basic) Link(command);
        foreach (var command in has.Concat(["dotnet", "postgres", "initdb"])) Add(command, "");
        Add("debconf-set-selections", "cat >&2");
        // What it runs as root is run as it is.
        Add("sudo", "while case ${1-} in -*) ;; *) false ;; esac; do shift; done; \"$@\"");
    }

    /// <summary>The folder of the script.</summary>
    public string Root { get; }

    /// <summary>What was called, each as its name and arguments in angle brackets.</summary>
    public string[] Calls => File.Exists(folder.Combine("calls")) ? File.ReadAllLines(folder.Combine("calls")) : [];

    /// <summary>A command of the system that does something when it has written down that it was called.</summary>
    public void Add(string name, string script)
    {
        var file = Path.Combine(commands, name);
        var call = name == "sudo" ? "" : $"{{ printf '%s' {name}; for argument; do printf ' <%s>' \"$argument\"; done; echo; }} >>'{folder.Combine("calls")}'\n";
        File.WriteAllText(file, $"#!/bin/sh\n{call}{script}\n");
        File.SetUnixFileMode(file, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
    }

    /// <summary>Takes a command away.</summary>
    public void Remove(string name) => File.Delete(Path.Combine(commands, name));

    /// <summary>A source is changed.</summary>
    public void Touch(string source) => File.SetLastWriteTimeUtc(Path.Combine(Root, source), TimeProvider.System.GetUtcNow().UtcDateTime);

    /// <summary>Runs the script; returns its exit code and what it said.</summary>
    public Task<(int Code, string Said)> RunAsync(params string[] arguments) => RunThroughAsync("moxapi", arguments);

    /// <summary>Runs it by another name.</summary>
    public async Task<(int Code, string Said)> RunThroughAsync(string script, params string[] arguments)
    {
        var start = new ProcessStartInfo("/bin/sh", [Path.Combine(Root, script), .. arguments])
        {
            WorkingDirectory = folder.FullName,
            RedirectStandardError = true,
            RedirectStandardInput = true,
        };
        start.Environment.Clear();
        start.Environment["PATH"] = commands;
        start.Environment["HOME"] = folder.Combine("home");
        using var process = Process.Start(start)!;
        process.StandardInput.Close();
        var said = await process.StandardError.ReadToEndAsync().WaitAsync(Deadline);
        await process.WaitForExitAsync().WaitAsync(Deadline);
        return (process.ExitCode, said);
    }

    public void Dispose() => folder.Dispose();

    private void Link(string command)
    {
        var found = new[] { "/usr/bin", "/bin", "/usr/sbin" }.Select(each => Path.Combine(each, command)).FirstOrDefault(File.Exists);
        if (found is not null) File.CreateSymbolicLink(Path.Combine(commands, command), found);
    }
}
