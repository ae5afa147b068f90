using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MoxApi.Tests.Peers;

/// <summary>What a <see cref="CountingSink"/> saw of a message: final dots, and answers 250 that were written.</summary>
internal readonly record struct Counted(int Dots, int Accepts);

/// <summary>
/// A fast SMTP server that counts, by Message-ID, each final dot it saw and each 250 it sent, so that a test can tell what was delivered,
/// how often, and what the sender cannot know.
/// </summary>
internal sealed class CountingSink : IAsyncDisposable
{
    private readonly Socket listener = new(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
    private readonly CancellationTokenSource stopping = new();
    private readonly ConcurrentDictionary<string, Counted> counts = new(StringComparer.Ordinal);
    private readonly ConcurrentBag<Task> sessions = [];
    private int open;
    private readonly Task accepting;

    public CountingSink()
    {
        listener.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        listener.Listen(1024);
        EndPoint = (IPEndPoint)listener.LocalEndPoint!;
        accepting = AcceptAsync();
    }

    public IPEndPoint EndPoint { get; }

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
        listener.Dispose();
        await accepting;
        await Task.WhenAll(sessions);
        stopping.Dispose();
    }

    private async Task AcceptAsync()
    {
        try
        {
            while (true)
            {
                var socket = await listener.AcceptAsync(stopping.Token);
                Interlocked.Increment(ref open);
                sessions.Add(Task.Run(() => ServeAsync(socket)));
            }
        }
        catch (Exception end) when (end is OperationCanceledException or SocketException or ObjectDisposedException)
        {
            // Disposed.
        }
    }

    private async Task ServeAsync(Socket socket)
    {
        socket.NoDelay = true;
        await using var stream = new NetworkStream(socket, ownsSocket: true);
        using var reader = new StreamReader(stream, Encoding.Latin1);
        try
        {
            await WriteAsync(stream, "220 mx.example.net ESMTP");
            while (await reader.ReadLineAsync(stopping.Token) is { } line)
            {
                if (line == "DATA") await TakeAsync(stream, reader);
                else await WriteAsync(stream, Reply(line));
                if (line == "QUIT") return;
            }
        }
        catch (Exception end) when (end is OperationCanceledException or IOException)
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

    private async Task TakeAsync(NetworkStream stream, StreamReader reader)
    {
        await WriteAsync(stream, "354 Go on");
        var id = "";
        while (await reader.ReadLineAsync(stopping.Token) is var line && line != ".")
        {
            if (line is null) throw new IOException("The message was cut off.");
            if (id.Length == 0 && line.StartsWith("Message-ID:", StringComparison.OrdinalIgnoreCase)) id = line["Message-ID:".Length..].Trim();
        }
        var dots = counts.AddOrUpdate(id, new Counted(1, 0), (_, seen) => seen with { Dots = seen.Dots + 1 }).Dots;
        await BeforeAnswer(id, dots).WaitAsync(stopping.Token);
        await WriteAsync(stream, string.Create(CultureInfo.InvariantCulture, $"250 2.0.0 Taken, number {dots}"));
        counts.AddOrUpdate(id, new Counted(1, 1), (_, seen) => seen with { Accepts = seen.Accepts + 1 });
    }

    private async Task WriteAsync(NetworkStream stream, string reply) => await stream.WriteAsync(Encoding.ASCII.GetBytes(reply + "\r\n"), stopping.Token);
}
