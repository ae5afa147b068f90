using System.Net;
using System.Net.Sockets;
using System.Text;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

/// <summary>A client on a real socket that says and expects lines. Text is Latin-1, so that any octet can be written.</summary>
internal sealed class Transcript : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly Socket socket = new(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
    private readonly byte[] buffer = new byte[4096];
    private readonly Queue<string> lines = new();
    private string unfinished = "";

    public static async Task<Transcript> ConnectAsync(int port)
    {
        var transcript = new Transcript();
        await transcript.socket.ConnectAsync(IPAddress.Loopback, port);
        return transcript;
    }

    /// <summary>Sends lines, each with its CRLF, in one piece.</summary>
    public Task SendAsync(params string[] text) => SendRawAsync(string.Concat(text.Select(line => line + "\r\n")));

    /// <exception cref="SocketException">The server has closed.</exception>
    public async Task SendRawAsync(string text)
    {
        for (ReadOnlyMemory<byte> rest = Encoding.Latin1.GetBytes(text); rest.Length > 0;) rest = rest[await socket.SendAsync(rest)..];
    }

    /// <summary>Reads lines until the last line of a reply, which must be this one.</summary>
    public async Task ExpectAsync(string last) => Assert.Equal(last, (await ReplyAsync())[^1]);

    public async Task SayAsync(string line, string reply)
    {
        await SendAsync(line);
        await ExpectAsync(reply);
    }

    /// <summary>Says a line and expects a reply that begins so.</summary>
    public async Task SayStartAsync(string line, string beginning)
    {
        await SendAsync(line);
        await ExpectStartAsync(beginning);
    }

    public async Task ExpectStartAsync(string beginning) => Assert.StartsWith(beginning, (await ReplyAsync())[^1], StringComparison.Ordinal);

    /// <summary>The lines of the next reply.</summary>
    public async Task<List<string>> ReplyAsync()
    {
        var reply = new List<string>();
        do reply.Add(await LineAsync() ?? throw new InvalidOperationException("The server closed the connection."));
        while (reply[^1] is [_, _, _, '-', ..]);
        return reply;
    }

    public async Task ExpectClosedAsync() => Assert.Null(await LineAsync());

    /// <summary>Everything that the server says until it closes.</summary>
    public async Task<List<string>> ToEndAsync()
    {
        var all = new List<string>();
        while (await LineAsync() is { } line) all.Add(line);
        return all;
    }

    /// <summary>The next line; null when the server has closed.</summary>
    public async Task<string?> LineAsync()
    {
        using var deadline = new CancellationTokenSource(Patience);
        while (lines.Count == 0)
        {
            int read;
            try
            {
                read = await socket.ReceiveAsync(buffer, deadline.Token);
            }
            catch (SocketException)
            {
                return null; // A reset: the server closed while octets of ours were still unread.
            }
            if (read == 0) return null;
            var parts = (unfinished + Encoding.Latin1.GetString(buffer, 0, read)).Split("\r\n");
            foreach (var line in parts[..^1]) lines.Enqueue(line);
            unfinished = parts[^1];
        }
        return lines.Dequeue();
    }

    /// <summary>Says that nothing more is sent, while replies are still read.</summary>
    public void EndSending() => socket.Shutdown(SocketShutdown.Send);

    public ValueTask DisposeAsync()
    {
        socket.Dispose();
        return ValueTask.CompletedTask;
    }
}
