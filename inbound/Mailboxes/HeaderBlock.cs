using System.Buffers;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>Finds the header of an incoming message: what stands before the first empty line, and that line (RFC 5322 §2.1).</summary>
internal static class HeaderBlock
{
    /// <summary>The longest header that is taken, in octets. It is kept in memory, and read with every list of messages.</summary>
    public const int MaxOctets = 256 << 10;

    /// <summary>Reads the header block from a message's beginning, and leaves the stream just after it.</summary>
    /// <returns>The octets with the empty line; all of the message where it has no such line; null where the header is too long.</returns>
    public static async ValueTask<byte[]?> ReadAsync(Stream message, CancellationToken cancellationToken)
    {
        var octets = new ArrayBufferWriter<byte>(4096);
        while (true)
        {
            var read = await message.ReadAsync(octets.GetMemory(4096), cancellationToken);
            var searchFrom = Math.Max(0, octets.WrittenCount - 3);
            octets.Advance(read);
            var end = octets.WrittenSpan[searchFrom..].IndexOf("\r\n\r\n"u8);
            var length = end >= 0 ? searchFrom + end + 4 : octets.WrittenCount;
            if (length > MaxOctets) return null;
            if (end < 0 && read > 0) continue;
            message.Position = length;
            return octets.WrittenSpan[..length].ToArray();
        }
    }
}
