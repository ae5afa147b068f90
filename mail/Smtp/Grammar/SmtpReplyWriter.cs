using System.Buffers;
using System.Globalization;
using System.Text;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>Writes replies as a server sends them (RFC 5321 §4.2.1, RFC 2034 §4).</summary>
public static class SmtpReplyWriter
{
    // RFC 5321 §4.5.3.1.5: a reply line has at most 512 octets with its code and CRLF; the rest is room for both codes.
    private const int MaxTextPerLine = 480;

    /// <summary>Writes one reply, a line for each line of its text. What is not printable ASCII becomes <c>?</c>, so that no text can end a line.</summary>
    public static void Write(IBufferWriter<byte> output, SmtpReply reply)
    {
        var lines = reply.Text.Split('\n');
        for (var n = 0; n < lines.Length; n++)
        {
            // RFC 2034 §4: the enhanced code is repeated on each line.
            var prefix = string.Create(CultureInfo.InvariantCulture, $"{reply.Code}{(n + 1 < lines.Length ? '-' : ' ')}");
            var enhanced = reply.Enhanced is { } code ? $"{code} " : "";
            output.Write(Encoding.ASCII.GetBytes($"{prefix}{enhanced}{Printable(lines[n])}\r\n"));
        }
    }

    private static string Printable(string text)
    {
        var length = Math.Min(text.Length, MaxTextPerLine);
        return string.Create(length, text, static (line, from) =>
        {
            for (var at = 0; at < line.Length; at++) line[at] = from[at] is >= ' ' and <= '~' ? from[at] : '?';
        });
    }
}
