using System.Collections;
using System.ComponentModel;
using System.Diagnostics;

namespace MoxApi.Migrations.Cluster;

/// <summary>
/// The system user who owns the cluster: ourselves, or <c>postgres</c> where we are root, since PostgreSQL refuses to run as root. Everything
/// inside the cluster's folder is done by programs that run as this user, so root never follows a link that another user could have placed.
/// </summary>
internal sealed class ClusterUser
{
    private readonly string? name;

    private ClusterUser(string? name) => this.name = name;

    /// <summary>The user for this process.</summary>
    public static ClusterUser Current { get; } = new(Environment.IsPrivilegedProcess ? "postgres" : null);

    /// <summary>Root itself, or whoever we are.</summary>
    public static ClusterUser Ourselves { get; } = new(null);

    /// <summary>Whether it is another user than ourselves.</summary>
    public bool IsOther => name is not null;

    /// <summary>The name for messages.</summary>
    public string Name => name ?? Environment.UserName;

    /// <summary>What a program answered.</summary>
    public readonly record struct Outcome(int ExitCode, string Output, string Errors)
    {
        public bool Succeeded => ExitCode == 0;
    }

    /// <summary>Runs a program to its end.</summary>
    /// <exception cref="PrivateClusterException">It could not be started.</exception>
    public async Task<Outcome> RunAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken, string input = "")
    {
        var start = StartInfo(program, arguments);
        start.RedirectStandardInput = start.RedirectStandardOutput = start.RedirectStandardError = true;
        using var process = Start(start);
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await WriteInputAsync(process, input);
            await process.WaitForExitAsync(cancellationToken);
            return new Outcome(process.ExitCode, await output, await errors);
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <summary>Runs a program that has to succeed.</summary>
    /// <exception cref="PrivateClusterException">It failed; the message has what it said.</exception>
    public async Task<string> RunOrThrowAsync(string program, IEnumerable<string> arguments, CancellationToken cancellationToken, string input = "")
    {
        var outcome = await RunAsync(program, arguments, cancellationToken, input);
        return outcome.Succeeded
            ? outcome.Output
            : throw new PrivateClusterException($"{Path.GetFileName(program)} failed with {outcome.ExitCode}: {outcome.Errors.Trim()}");
    }

    /// <summary>Writes a small file that only this user can read.</summary>
    public Task WriteFileAsync(string path, string content, CancellationToken cancellationToken) =>
        RunOrThrowAsync("/bin/sh", ["-c", "umask 077; cat >\"$1\"", "sh", path], cancellationToken, content);

    /// <summary>Starts a server whose output goes to a file, in a session of its own: Ctrl-C at the terminal reaches our process group only.</summary>
    public Process StartDetached(string program, IEnumerable<string> arguments, string logFile, IReadOnlyDictionary<string, string> environment)
    {
        // An orphan that held our standard output would keep whoever reads it waiting, hence the redirection of all three.
        var start = StartInfo("/bin/sh", ["-c", "umask 077; exec setsid \"$@\" </dev/null >>\"$0\" 2>&1", logFile, program, .. arguments]);
        foreach (var (key, value) in environment) start.Environment[key] = value;
        return Start(start);
    }

    private ProcessStartInfo StartInfo(string program, IEnumerable<string> arguments)
    {
        // The working directory may be closed to the user, and initdb then fails.
        var start = new ProcessStartInfo(program, arguments) { WorkingDirectory = "/", UseShellExecute = false };
        if (name is not null) start.UserName = name;
        foreach (DictionaryEntry variable in Environment.GetEnvironmentVariables())
        {
            // PGPORT, PGDATA and their like, and a locale that is not installed, are meant for other servers.
            var key = (string)variable.Key;
            if (key.StartsWith("PG", StringComparison.Ordinal) || key.StartsWith("LC_", StringComparison.Ordinal) || key is "LANG" or "LANGUAGE")
                start.Environment.Remove(key);
        }
        start.Environment["LC_ALL"] = "C";
        return start;
    }

    private Process Start(ProcessStartInfo start)
    {
        try
        {
            return Process.Start(start) ?? throw new PrivateClusterException($"{start.FileName} did not start.");
        }
        catch (Win32Exception e)
        {
            throw new PrivateClusterException($"{start.FileName} could not be started as the user {Name}: {e.Message}", e);
        }
    }

    private static async Task WriteInputAsync(Process process, string input)
    {
        try
        {
            await process.StandardInput.WriteAsync(input);
            process.StandardInput.Close();
        }
        catch (IOException)
        {
            // The program ended without reading; its exit code tells.
        }
    }
}
