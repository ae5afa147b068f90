using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace MoxApi.Bench.Loading;

/// <summary>An HTTP/1.1 connection that sends octets made before and reads no more of the answer than it must.</summary>
internal sealed class HttpConnection : IDisposable
{
    private readonly Socket socket;
    private byte[] buffer = new byte[8 * 1024];
    private int length;

    private HttpConnection(Socket socket) => this.socket = socket;

    /// <summary>The answer that was read last, with its header.</summary>
    public ReadOnlySpan<byte> Answer => buffer.AsSpan(0, length);

    public static async Task<HttpConnection> OpenAsync(Uri server, CancellationToken stop)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(IPAddress.Parse(server.Host), server.Port, stop);
            return new HttpConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The header of a JSON request.</summary>
    /// <param name="path">The target.</param>
    /// <param name="key">The API key.</param>
    /// <param name="bodyLength">Octets of the body.</param>
    /// <param name="contentType">Its media type.</param>
    /// <param name="fields">Further fields, each with its line end.</param>
    public static string Header(string path, string key, int bodyLength, string contentType = "application/json", string fields = "") =>
        $"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: {contentType}\r\n{fields}"
        + string.Create(CultureInfo.InvariantCulture, $"Content-Length: {bodyLength}\r\n\r\n");

    /// <summary>Sends a request in parts and reads the answer.</summary>
    /// <returns>The status.</returns>
    public async ValueTask<int> SendAsync(CancellationToken stop, params IReadOnlyList<ReadOnlyMemory<byte>> request)
    {
        foreach (var part in request)
        {
            for (var sent = 0; sent < part.Length;) sent += await socket.SendAsync(part[sent..], stop);
        }
        length = 0;
        while (!IsWhole())
        {
            if (length == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
            var count = await socket.ReceiveAsync(buffer.AsMemory(length), stop);
            if (count == 0) throw new IOException("The server closed the connection.");
            length += count;
        }
        return int.Parse(Answer[9..12], CultureInfo.InvariantCulture); // HTTP/1.1 202
    }

    /// <summary>The answer in a few words.</summary>
    public string Describe()
    {
        var text = Encoding.UTF8.GetString(Answer);
        return $"{text[9..Math.Max(9, text.IndexOf('\r', StringComparison.Ordinal))]} {text[Math.Min(text.Length, text.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..]}".ReplaceLineEndings(" ");
    }

    public void Dispose() => socket.Dispose();

    // Nothing is sent before the answer is there, so its end is the end of what came. JSON has no raw line ends.
    private bool IsWhole()
    {
        var end = Answer.IndexOf("\r\n\r\n"u8);
        if (end < 0) return false;
        var header = Answer[..(end + 2)];
        var at = header.IndexOf("\r\nContent-Length: "u8);
        if (at < 0) return Answer.EndsWith("\r\n0\r\n\r\n"u8) || header.IndexOf("Transfer-Encoding: chunked"u8) < 0;
        var value = header[(at + 18)..];
        return length >= end + 4 + int.Parse(value[..value.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
