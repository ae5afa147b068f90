using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Sockets;
using System.Text;

namespace MoxApi.Tests.Hosting;

/// <summary>The real program as a process of its own, on ports of its own.</summary>
internal sealed class MoxApiProcess : IAsyncDisposable
{
    /// <summary>Where the system's temporary files go: the one variable among the settings that has no prefix.</summary>
    public const string TemporaryFolderVariable = "TMPDIR";

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);

    // As ./moxapi runs it: from its own output, beside ours, where it is compiled ahead in Release.
    private static readonly string Program = Path.Combine(
        AppContext.BaseDirectory, "..", "..", "MoxApi.Api", Path.GetFileName(Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)), "MoxApi.Api.dll");

    private readonly Process process;
    private readonly StringBuilder output = new();
    private readonly StringBuilder errors = new();
    private readonly TaskCompletionSource ready = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private readonly string? logFile;

    private MoxApiProcess(Process process, string? logFile) => (this.process, this.logFile) = (process, logFile);

    /// <summary>Where it answers HTTP.</summary>
    public Uri Http { get; private set; } = new("http://127.0.0.1");

    /// <summary>Where it answers SMTP, if it does.</summary>
    public IPEndPoint? Smtp { get; private set; }

    /// <summary>Where it answers about metrics, if it does so apart.</summary>
    public Uri? Metrics { get; private set; }

    /// <summary>The process's id.</summary>
    public int Id => process.Id;

    /// <summary>What it printed.</summary>
    public string Output
    {
        get
        {
            lock (output) return output.ToString();
        }
    }

    /// <summary>What it logged.</summary>
    public string Log
    {
        get
        {
            if (logFile is not null) return File.ReadAllText(logFile);
            lock (errors) return errors.ToString();
        }
    }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="settings">Variables without their prefix, such as <c>Node__Name</c>.</param>
    /// <param name="arguments">The command line.</param>
    public static Task<MoxApiProcess> StartAsync(IReadOnlyDictionary<string, string> settings, params string[] arguments) => StartWithLogAsync(settings, logFile: null, arguments);

    /// <summary>The same, with its log in a file: nobody has to read a pipe, and the log may grow.</summary>
    public static async Task<MoxApiProcess> StartWithLogAsync(IReadOnlyDictionary<string, string> settings, string? logFile, params string[] arguments)
    {
        var started = new MoxApiProcess(Process.Start(Info(settings, logFile, arguments))!, logFile);
        started.Read();
        try
        {
            var exited = started.process.WaitForExitAsync();
            if (await Task.WhenAny(started.ready.Task, exited).WaitAsync(Patience) == exited)
                throw new InvalidOperationException($"The program ended with {started.process.ExitCode}:\n{started.Output}\n{started.Log}");
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    /// <summary>Starts the local sandbox, on ports that were free a moment ago.</summary>
    /// <param name="dataFolder">The folder of its data, made if need be.</param>
    /// <param name="settings">As for <see cref="StartAsync"/>.</param>
    public static Task<MoxApiProcess> StartSandboxAsync(string dataFolder, IReadOnlyDictionary<string, string>? settings = null) => StartAsync(
        settings ?? new Dictionary<string, string>(),
        "--data-dir", dataFolder, "--port-offset", FreeOffset().ToString(System.Globalization.CultureInfo.InvariantCulture));

    /// <summary>Runs a command to its end.</summary>
    public static async Task<(int ExitCode, string Output, string Log)> RunAsync(IReadOnlyDictionary<string, string> settings, params string[] arguments)
    {
        await using var run = new MoxApiProcess(Process.Start(Info(settings, logFile: null, arguments))!, logFile: null);
        run.Read();
        run.process.StandardInput.Close();
        await run.process.WaitForExitAsync().WaitAsync(Patience);
        return (run.process.ExitCode, run.Output, run.Log);
    }

    /// <summary>A client of its API.</summary>
    public HttpClient Client(string key) => new() { BaseAddress = Http, Timeout = Patience, DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) } };

    /// <summary>Kills it as <c>kill -9</c> does.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>Sends it a signal, such as <c>STOP</c> or <c>CONT</c>.</summary>
    public async Task SignalAsync(string signal)
    {
        using var kill = Process.Start("kill", ["-s", signal, process.Id.ToString(System.Globalization.CultureInfo.InvariantCulture)]);
        await kill.WaitForExitAsync().WaitAsync(Patience);
    }

    /// <summary>Stops it, as Ctrl-C does or by another signal; returns its exit code.</summary>
    public async Task<int> StopAsync(string signal = "INT")
    {
        if (!process.HasExited) await SignalAsync(signal);
        await process.WaitForExitAsync().WaitAsync(Patience);
        return process.ExitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            await SignalAsync("TERM");
            await process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(60)).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!process.HasExited) await KillAsync();
        }
        process.Dispose();
    }

    // The sandbox has HTTP on 80 and SMTP on 25 from its offset; what the system just gave out it gives to nobody else for a while.
    private static int FreeOffset()
    {
        while (true)
        {
            using var http = new TcpListener(IPAddress.Loopback, 0);
            http.Start();
            var offset = ((IPEndPoint)http.LocalEndpoint).Port - 80;
            using var smtp = new TcpListener(IPAddress.Loopback, offset + 25);
            try
            {
                smtp.Start();
                return offset;
            }
            catch (SocketException)
            {
                // Another one then.
            }
        }
    }

    private static ProcessStartInfo Info(IReadOnlyDictionary<string, string> settings, string? logFile, string[] arguments)
    {
        // Under a shell that runs in the background, SIGINT is ignored from parent to child.
        string[] command = ["env", "--default-signal=INT", "dotnet", Program, .. arguments];
        var info = logFile is null ? new ProcessStartInfo(command[0], command[1..]) : new ProcessStartInfo("sh", ["-c", "exec \"$@\" 2>\"$0\"", logFile, .. command]);
        info.RedirectStandardInput = info.RedirectStandardOutput = true;
        info.RedirectStandardError = logFile is null;
        foreach (var name in info.Environment.Keys.Where(k => k.StartsWith("MOXAPI_", StringComparison.Ordinal)).ToArray()) info.Environment.Remove(name);
        foreach (var (name, value) in settings) info.Environment[name == TemporaryFolderVariable ? name : $"MOXAPI_{name}"] = value;
        return info;
    }

    private void Read()
    {
        process.OutputDataReceived += (_, line) => Note(output, line.Data);
        process.BeginOutputReadLine();
        if (logFile is not null) return;
        process.ErrorDataReceived += (_, line) => Note(errors, line.Data);
        process.BeginErrorReadLine();
    }

    private void Note(StringBuilder text, string? line)
    {
        if (line is null) return;
        lock (text) text.AppendLine(line);
        // Such as "  API        http://localhost:1080/v1 …" and "  SMTP       localhost:1025".
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        if (words is ["API", var api, ..]) Http = new Uri(new Uri(api).GetLeftPart(UriPartial.Authority).Replace("localhost", "127.0.0.1", StringComparison.Ordinal));
        if (words is ["SMTP", var smtp] && IPEndPoint.TryParse(smtp.Replace("localhost", "127.0.0.1", StringComparison.Ordinal), out var endPoint)) Smtp = endPoint;
        if (words is ["Metrics", var metrics]) Metrics = new Uri(metrics);
        if (words is ["Ctrl-C", ..]) ready.TrySetResult();
    }
}
