using System.Text;
using MimeKit;

namespace MoxApi.Delivery.Composing;

/// <summary>A text as it goes into a body: UTF-8 with CRLF line ends, and how to carry it in seven bits.</summary>
internal static class BodyText
{
    /// <summary>Makes a part of a text of any line ends.</summary>
    public static MimePart Part(string subtype, string text)
    {
        var content = Encoding.UTF8.GetBytes(WithLineEnds(text));
        var encoding = Choose(content, out var isAscii);
        return new MimePart(new ContentType("text", subtype) { Charset = isAscii ? "us-ascii" : "utf-8" })
        {
            ContentTransferEncoding = encoding,
            Content = new MimeContent(new MemoryStream(content, writable: false)),
        };
    }

    /// <summary>CRLF for every CR, LF or CRLF, and one at the end: a lone CR or LF must not reach SMTP (RFC 5321 §2.3.8).</summary>
    internal static string WithLineEnds(string text)
    {
        var output = new StringBuilder(text.Length + 64);
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOfAny('\r', '\n');
            if (end < 0) end = rest.Length;
            output.Append(rest[..end]).Append("\r\n");
            var isPair = end + 1 < rest.Length && rest[end] == '\r' && rest[end + 1] == '\n';
            rest = rest[Math.Min(rest.Length, end + (isPair ? 2 : 1))..];
        }
        return output.ToString();
    }

    // RFC 2045 §6: as it is where that is short lines of ASCII; else whichever encoding is shorter.
    private static ContentEncoding Choose(ReadOnlySpan<byte> content, out bool isAscii)
    {
        isAscii = Ascii.IsValid(content);
        if (isAscii && HasPlainLines(content)) return ContentEncoding.SevenBit;
        var high = 0;
        foreach (var octet in content) high += octet >> 7;
        return high * 6L > content.Length ? ContentEncoding.Base64 : ContentEncoding.QuotedPrintable;
    }

    private static bool HasPlainLines(ReadOnlySpan<byte> content)
    {
        while (!content.IsEmpty)
        {
            var end = content.IndexOf("\r\n"u8);
            // RFC 5322 §2.1.1: 78 characters is the length to aim at. Controls other than tab are safer encoded.
            if (end > 78 || content[..end].ContainsAnyInRange((byte)0, (byte)8) || content[..end].ContainsAnyInRange((byte)11, (byte)31)) return false;
            content = content[(end + 2)..];
        }
        return true;
    }
}
