using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using MoxApi.Tests.Hosting;

namespace MoxApi.Tests.Peers;

/// <summary>
/// A real Postfix on a port of its own, with its configuration and queue in a temporary folder: one that runs on this machine for other purposes
/// is not touched. Only root can start it.
/// </summary>
internal sealed class PostfixProcess(string host, string parentFolder = "/tmp") : IAsyncDisposable
{
    private const string Program = "/usr/sbin/postfix";

    // Its start is a script of many small programs, which on a busy machine takes a while.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    private readonly TemporaryFolder folder = new(parentFolder);

    /// <summary>Why there can be none here, or nothing.</summary>
    public static string? Missing => !Environment.IsPrivilegedProcess ? "Postfix needs root." : !File.Exists(Program) ? $"There is no {Program}." : null;

    /// <summary>Where it listens for SMTP.</summary>
    public IPEndPoint EndPoint { get; } = FreeEndPoint();

    // Postfix holds a lock on the file, and .NET opens none that is locked.
    /// <summary>The process id of its master.</summary>
    public int Id => int.Parse(Run("cat", Path.Combine(Queue, "pid", "master.pid")), CultureInfo.InvariantCulture);

    /// <summary>What it logged.</summary>
    public string Log => File.Exists(LogFile) ? File.ReadAllText(LogFile) : "";

    /// <summary>Where its configuration is.</summary>
    public string Configuration => folder.Combine("etc");

    private string Queue => folder.Combine("queue");

    private string LogFile => folder.Combine("log");

    /// <summary>Makes a folder beside its queue.</summary>
    /// <returns>Its path.</returns>
    public string MakeFolder(string name, string? owner = null)
    {
        var path = folder.Combine(name);
        Directory.CreateDirectory(path);
        if (owner is not null) Run("chown", owner, path);
        return path;
    }

    /// <summary>Starts it and waits until it answers.</summary>
    /// <param name="settings">Lines of <c>main.cf</c>, besides those that every Postfix in a folder of its own needs.</param>
    /// <param name="services">Lines of <c>master.cf</c>, likewise.</param>
    public async Task StartAsync(string settings, string services)
    {
        MakeFolder("etc");
        MakeFolder("queue");
        MakeFolder("data", "postfix");
        await File.WriteAllTextAsync(Path.Combine(Configuration, "main.cf"), $"{Main()}\n{settings}\n");
        await File.WriteAllTextAsync(Path.Combine(Configuration, "master.cf"), $"{Services()}\n{services}\n");
        Start("start-fg").Dispose();
        await AnswersAsync();
    }

    /// <summary>The number of a user (<c>-u</c>) or of its group (<c>-g</c>).</summary>
    public static int IdOf(string which, string user) => int.Parse(Run("id", which, user), CultureInfo.InvariantCulture);

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Configuration))
        {
            using var stop = Start("stop");
            await stop.WaitForExitAsync().WaitAsync(Patience);
        }
        folder.Dispose();
    }

    private string Main() => $"""
        compatibility_level = 3.6
        queue_directory = {Queue}
        data_directory = {folder.Combine("data")}
        maillog_file = {LogFile}
        maillog_file_prefixes = {folder.FullName}
        myhostname = {host}
        mydestination =
        local_recipient_maps =
        alias_maps =
        inet_protocols = ipv4
        smtpd_peername_lookup = no
        """;

    // Without chroot: a jail would need copies of the system's files.
    private string Services() => $"""
        {EndPoint} inet n - n - - smtpd
        cleanup unix n - n - 0 cleanup
        qmgr unix n - n 300 1 qmgr
        tlsmgr unix - - n 1000? 1 tlsmgr
        rewrite unix - - n - - trivial-rewrite
        bounce unix - - n - 0 bounce
        defer unix - - n - 0 bounce
        trace unix - - n - 0 bounce
        error unix - - n - - error
        retry unix - - n - - error
        anvil unix - - n - 1 anvil
        postlog unix-dgram n - n - 1 postlogd
        """;

    private static IPEndPoint FreeEndPoint()
    {
        using var probe = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        probe.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return (IPEndPoint)probe.LocalEndPoint!;
    }

    private async Task AnswersAsync()
    {
        var since = TimeProvider.System.GetTimestamp();
        while (!await GreetsAsync())
        {
            if (TimeProvider.System.GetElapsedTime(since) > Patience) throw new TimeoutException($"Postfix does not answer. It said:\n{Log}");
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System);
        }
    }

    // A connection alone says nothing: one to a free port may come out of that very port, and is then connected to itself.
    private async Task<bool> GreetsAsync()
    {
        using var patience = new CancellationTokenSource(Patience);
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(EndPoint, patience.Token);
            if (EndPoint.Equals(client.Client.LocalEndPoint)) return false;
            using var reader = new StreamReader(client.GetStream());
            return await reader.ReadLineAsync(patience.Token) is { } greeting && greeting.StartsWith("220 ", StringComparison.Ordinal);
        }
        catch (Exception notYet) when (notYet is SocketException or IOException or OperationCanceledException)
        {
            return false;
        }
    }

    // What it says before it has opened its log goes there too, without a pipe that somebody would have to read.
    private Process Start(string command) =>
        Process.Start("sh", ["-c", "exec \"$0\" -c \"$1\" \"$2\" >>\"$3\" 2>&1 </dev/null", Program, Configuration, command, LogFile]);

    private static string Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        var output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0 ? output.Trim() : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }
}
