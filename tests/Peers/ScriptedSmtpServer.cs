using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography.X509Certificates;

namespace MoxApi.Tests.Peers;

/// <summary>A message that a scripted server received: the command lines of its envelope, and its content without the dots' doubling.</summary>
internal sealed record ReceivedMessage(string Mail, IReadOnlyList<string> Rcpts, byte[] Content, string Answer)
{
    public string Text => System.Text.Encoding.Latin1.GetString(Content);
}

/// <summary>
/// An SMTP server on loopback that is polite until told otherwise. Steps are named as in a conversation: connect, ehlo, helo, starttls, tls,
/// mail, rcpt, data, body, rset, quit, and noop.
/// </summary>
/// <example>
/// <code>
/// await using var server = new ScriptedSmtpServer { Extensions = ["PIPELINING"] };
/// server.On("rcpt", "250 2.1.5 Ok", "452 4.5.3 Too many");
/// server.On("body", Act.Disconnect);
/// </code>
/// </example>
internal sealed class ScriptedSmtpServer : IAsyncDisposable
{
    private readonly Socket _listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource _stop = new();
    private readonly TaskCompletionSource _silence = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly List<Func<string, string, Act?>> _rules = [];
    private readonly List<ScriptedSmtpSession> _sessions = [];
    private readonly List<Task> _running = [];
    private readonly Task _accepting;

    public ScriptedSmtpServer()
    {
        _listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        _listener.Listen(512);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

    /// <summary>What EHLO offers; STARTTLS comes by itself with a certificate.</summary>
    public string[] Extensions { get; set; } = ["PIPELINING", "SIZE 10485760", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"];

    public string Greeting { get; set; } = "220 mx.test ESMTP";

    public Pace Pace { get; set; }

    public X509Certificate2? Certificate { get; set; }

    /// <summary>The connections so far, in the order of their coming.</summary>
    public IReadOnlyList<ScriptedSmtpSession> Sessions
    {
        get
        {
            lock (_sessions) return [.. _sessions];
        }
    }

    /// <summary>The whole conversation, all connections after each other: lines that begin with <c>C: </c> and <c>S: </c>.</summary>
    public IReadOnlyList<string> Transcript => [.. Sessions.SelectMany(static s => s.Transcript)];

    /// <summary>The messages with a final dot, whatever the answer to it.</summary>
    public IReadOnlyList<ReceivedMessage> Messages => [.. Sessions.SelectMany(static s => s.Messages)];

    /// <summary>What the client did against the standard.</summary>
    public IReadOnlyList<string> Violations => [.. Sessions.SelectMany(static s => s.Violations)];

    /// <summary>Ends when the server has begun to be silent somewhere.</summary>
    public Task WhenSilent => _silence.Task;

    /// <summary>Sets what happens at a step: one act for each time, over all connections; then the server is polite again.</summary>
    public ScriptedSmtpServer On(string step, params Act[] acts)
    {
        var left = new Queue<Act>(acts);
        return On(step, _ =>
        {
            lock (left) return left.TryDequeue(out var act) ? act : null;
        });
    }

    /// <summary>Sets what happens at a step each time.</summary>
    public ScriptedSmtpServer Always(string step, Act act) => On(step, _ => act);

    /// <summary>Sets what happens at a step by the command line; null leaves it to the next rule.</summary>
    public ScriptedSmtpServer On(string step, Func<string, Act?> rule)
    {
        lock (_rules) _rules.Add((s, line) => s == step ? rule(line) : null);
        return this;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Dispose();
        await _accepting;
        await Task.WhenAll(_running);
        _stop.Dispose();
    }

    internal Act? Choose(string step, string line)
    {
        lock (_rules) return _rules.Select(r => r(step, line)).FirstOrDefault(static a => a is not null);
    }

    internal void FellSilent() => _silence.TrySetResult();

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await _listener.AcceptAsync(_stop.Token);
                socket.NoDelay = true;
                var session = new ScriptedSmtpSession(this, socket);
                lock (_sessions) _sessions.Add(session);
                _running.Add(session.RunAsync(_stop.Token));
            }
        }
        catch (Exception e) when (e is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }
}
