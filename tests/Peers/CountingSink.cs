using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;

namespace MoxApi.Tests.Peers;

/// <summary>What a <see cref="CountingSink"/> saw of a message: final dots, and answers 250 that were written.</summary>
internal readonly record struct Counted(int Dots, int Accepts);

/// <summary>
/// A fast SMTP server that counts, by Message-ID, each final dot it saw and each 250 it sent, so that a test can tell what was delivered,
/// how often, and what the sender cannot know.
/// </summary>
internal sealed class CountingSink : IAsyncDisposable
{
    private readonly Socket[] listeners;
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, Counted> counts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<Task, bool> sessions = [];
    private readonly Task[] accepting;
    private int open;

    /// <param name="ports">How many ports it listens on: as many servers to whom connects.</param>
    public CountingSink(int ports = 1)
    {
        listeners = [.. Enumerable.Range(0, ports).Select(_ => Listen())];
        EndPoints = [.. listeners.Select(listener => (IPEndPoint)listener.LocalEndPoint!)];
        accepting = [.. listeners.Select(AcceptAsync)];
    }

    /// <summary>Where it listens.</summary>
    public IReadOnlyList<IPEndPoint> EndPoints { get; }

    public IPEndPoint EndPoint => EndPoints[0];

    /// <summary>Runs between a final dot and its answer, with the Message-ID and how many dots it had: a delay, or a fault.</summary>
    public Func<string, int, Task> BeforeAnswer { get; set; } = (_, _) => Task.CompletedTask;

    /// <summary>What was seen of each message so far.</summary>
    public IReadOnlyDictionary<string, Counted> Counts => new Dictionary<string, Counted>(counts);

    /// <summary>What was seen of a message.</summary>
    public Counted Of(string messageId) => counts.GetValueOrDefault(messageId);

    /// <summary>Waits until all connections are closed.</summary>
    public Task QuietAsync() => Eventually.HoldsAsync(() => Task.FromResult(Volatile.Read(ref open) == 0), "the end of all SMTP connections");

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        foreach (var listener in listeners) listener.Dispose();
        await Task.WhenAll(accepting);
        await Task.WhenAll(sessions.Keys);
        stopping.Dispose();
    }

    private static Socket Listen()
    {
        var listener = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1024);
        return listener;
    }

    private async Task AcceptAsync(Socket listener)
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(stopping.Token);
                Interlocked.Increment(ref open);
                var session = Task.Run(() => ServeAsync(socket));
                sessions[session] = true;
                _ = session.ContinueWith(ended => sessions.TryRemove(ended, out _), TaskScheduler.Default);
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        using var connection = new CountingConnection(socket);
        try
        {
            connection.Write("220 mx.example.net ESMTP");
            while (await connection.ReadLineAsync(stopping.Token) is { } line)
            {
                if (line == "DATA") await TakeAsync(connection);
                else connection.Write(Reply(line));
                if (line == "QUIT") break;
            }
            await connection.FlushAsync(stopping.Token);
        }
        catch (Exception end) when (end is OperationCanceledException or IOException or SocketException)
        {
            // The other side died, or the test is over.
        }
        finally
        {
            Interlocked.Decrement(ref open);
        }
    }

    private static string Reply(string line) => line.Split(' ', ':')[0].ToUpperInvariant() switch
    {
        "EHLO" => "250-mx.example.net\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 ENHANCEDSTATUSCODES",
        "QUIT" => "221 2.0.0 Bye",
        "MAIL" or "RCPT" or "RSET" or "NOOP" => "250 2.0.0 Ok",
        _ => "500 5.5.2 What?",
    };

    private async Task TakeAsync(CountingConnection connection)
    {
        connection.Write("354 Go on");
        var id = await connection.ReadMessageAsync(stopping.Token);
        var dots = counts.AddOrUpdate(id, new Counted(1, 0), (_, seen) => seen with { Dots = seen.Dots + 1 }).Dots;
        await BeforeAnswer(id, dots).WaitAsync(stopping.Token);
        connection.Write(string.Create(CultureInfo.InvariantCulture, $"250 2.0.0 Taken, number {dots}"));
        await connection.FlushAsync(stopping.Token);
        counts.AddOrUpdate(id, new Counted(1, 1), (_, seen) => seen with { Accepts = seen.Accepts + 1 });
    }
}
