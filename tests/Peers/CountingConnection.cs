using System.Net.Sockets;
using System.Text;

namespace MoxApi.Tests.Peers;

/// <summary>
/// A connection of a <see cref="CountingSink"/>. It reads octets, not lines, so that a message costs it little; replies leave together when there
/// is nothing more to read (RFC 2920 §3.2).
/// </summary>
internal sealed class CountingConnection : IDisposable
{
    private readonly Socket socket;
    private readonly StringBuilder replies = new();
    private byte[] buffer = new byte[16 * 1024];
    private int start;
    private int end;

    public CountingConnection(Socket socket)
    {
        this.socket = socket;
        socket.NoDelay = true;
    }

    private ReadOnlySpan<byte> Unread => buffer.AsSpan(start, end - start);

    /// <summary>Adds a reply.</summary>
    public void Write(string reply) => replies.Append(reply).Append("\r\n");

    /// <summary>Sends the replies.</summary>
    public async ValueTask FlushAsync(CancellationToken stop)
    {
        if (replies.Length == 0) return;
        var octets = Encoding.ASCII.GetBytes(replies.ToString());
        replies.Clear();
        for (var sent = 0; sent < octets.Length;) sent += await socket.SendAsync(octets.AsMemory(sent), stop);
    }

    /// <summary>The next command, or null at the end. The line end stays, since a message may end right behind it.</summary>
    public async ValueTask<string?> ReadLineAsync(CancellationToken stop)
    {
        while (true)
        {
            if (Unread.StartsWith("\r\n"u8)) start += 2;
            if (Unread.IndexOf("\r\n"u8) is var length and >= 0)
            {
                var line = Encoding.Latin1.GetString(Unread[..length]);
                start += length;
                return line;
            }
            if (!await FillAsync(stop)) return null;
        }
    }

    /// <summary>Reads a message up to its final dot and returns its Message-ID, empty where it has none. Its body is not kept.</summary>
    public async ValueTask<string> ReadMessageAsync(CancellationToken stop)
    {
        string? id = null;
        while (true)
        {
            var dot = Unread.IndexOf("\r\n.\r\n"u8);
            id ??= FindId(dot);
            if (dot >= 0)
            {
                start += dot + 3; // As ReadLineAsync does, to before the line end.
                return id ?? "";
            }
            if (id is not null) start = Math.Max(start, end - 4);
            if (!await FillAsync(stop)) throw new IOException("The message was cut off.");
        }
    }

    /// <summary>Null where the header may go on.</summary>
    private string? FindId(int dot)
    {
        var header = dot >= 0 ? Unread[..dot] : Unread;
        var length = header.IndexOf("\r\n\r\n"u8);
        if (length < 0 && dot < 0) return null;
        if (length >= 0) header = header[..length];
        while (header.Length > 0)
        {
            var line = header[..(header.IndexOf((byte)'\n') is var at and >= 0 ? at + 1 : header.Length)];
            if (line.Length > 11 && Ascii.EqualsIgnoreCase(line[..11], "Message-ID:"u8)) return Encoding.Latin1.GetString(line[11..]).Trim();
            header = header[line.Length..];
        }
        return "";
    }

    public void Dispose() => socket.Dispose();

    private async ValueTask<bool> FillAsync(CancellationToken stop)
    {
        await FlushAsync(stop);
        if (start > 0)
        {
            Unread.CopyTo(buffer);
            (start, end) = (0, end - start);
        }
        if (end == buffer.Length) Array.Resize(ref buffer, buffer.Length * 2);
        var count = await socket.ReceiveAsync(buffer.AsMemory(end), stop);
        end += count;
        return count > 0;
    }
}
