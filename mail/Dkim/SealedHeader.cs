using System.Buffers;
using System.Text;

namespace MoxApi.Mail.Dkim;

/// <summary>Which fields a signature seals, and their canonical form.</summary>
internal static class SealedHeader
{
    // Always named, also where the message has none.
    private static readonly string[] Always =
    [
        "From", "Reply-To", "To", "Cc", "Subject", "Date", "Message-ID", "In-Reply-To", "References",
        "MIME-Version", "Content-Type", "Content-Transfer-Encoding",
    ];

    // Named where the message has them (RFC 8058 §4 asks for the first two). A mailing list adds its own to a message that has none, and the
    // signature should survive that.
    private static readonly string[] WherePresent =
    [
        "List-Unsubscribe", "List-Unsubscribe-Post", "List-Id", "List-Help", "List-Post", "List-Subscribe", "List-Owner", "List-Archive",
    ];

    /// <summary>Writes the sealed fields in canonical form with CRLF, and tells their names for <c>h=</c>.</summary>
    public static List<string> Write(IBufferWriter<byte> output, ReadOnlySpan<byte> header)
    {
        var fields = HeaderField.Find(header);
        var names = new List<string>(40);
        foreach (var name in Always) Seal(output, header, fields, name, names, evenIfAbsent: true);
        foreach (var name in WherePresent) Seal(output, header, fields, name, names, evenIfAbsent: false);
        return names;
    }

    private static void Seal(
        IBufferWriter<byte> output, ReadOnlySpan<byte> header, List<HeaderField> fields, string name, List<string> names, bool evenIfAbsent)
    {
        var count = 0;
        // RFC 6376 §5.4.2: fields of the same name are taken from the bottom of the header upwards.
        for (var n = fields.Count - 1; n >= 0; n--)
        {
            if (!Ascii.EqualsIgnoreCase(fields[n].Name(header), name)) continue;
            RelaxedHeader.Write(output, fields[n].All(header));
            output.Write("\r\n"u8);
            names.Add(name);
            count++;
        }
        // RFC 6376 §8.15: named once more than it occurs, so that no further field of this name can be added without breaking the signature.
        if (count > 0 || evenIfAbsent) names.Add(name);
    }
}
