using System.Buffers;
using System.Text;

namespace MoxApi.Mail.Dkim;

/// <summary>Relaxed canonicalization of a header field (RFC 6376 §3.4.2).</summary>
internal static class RelaxedHeader
{
    /// <summary>Writes the field in canonical form, without a line end.</summary>
    public static void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> field)
    {
        var colon = field.IndexOf((byte)':');
        var name = field[..colon].TrimEnd(" \t"u8);
        var room = output.GetSpan(field.Length);
        Ascii.ToLower(name, room, out var length);
        room[length++] = (byte)':';
        var valueStart = length;
        var space = false;
        foreach (var octet in field[(colon + 1)..])
        {
            if (octet is (byte)'\r' or (byte)'\n') continue; // Unfolded.
            if (octet is (byte)' ' or (byte)'\t')
            {
                space = length > valueStart;
                continue;
            }
            if (space) room[length++] = (byte)' ';
            space = false;
            room[length++] = octet;
        }
        output.Advance(length);
    }
}
