using System.Globalization;
using System.Text;

namespace MoxApi.Delivery.Composing;

/// <summary>
/// Writes text as RFC 2047 encoded words. MimeKit's encoder leaves words of more than 75 characters, text that looks like an encoded word and
/// spaces at the ends as they are, so that what arrives would not be what was sent.
/// </summary>
internal static class EncodedWords
{
    // RFC 2047 §2: an encoded word has at most 75 characters, and a line with one at most 76.
    private const int LineLength = 76;
    private const string Prefix = "=?utf-8?";

    /// <summary>Appends the whole text, folded, where the first line already has <paramref name="column"/> characters; returns the new column.</summary>
    public static int Append(StringBuilder output, string text, int column)
    {
        var base64 = PrefersBase64(text);
        Span<byte> octets = stackalloc byte[64];
        var used = 0;
        var cost = 0;
        foreach (var rune in text.EnumerateRunes())
        {
            // RFC 2047 §5: a character is not split between two words.
            var room = Math.Min(75, LineLength - column) - Prefix.Length - "q??=".Length;
            var more = base64 ? Base64Length(used + rune.Utf8SequenceLength) : cost + QuotedLength(rune);
            if (more > room && used > 0)
            {
                Word(output, octets[..used], base64);
                output.Append("\r\n ");
                (column, used, cost) = (1, 0, 0);
            }
            cost += QuotedLength(rune);
            used += rune.EncodeToUtf8(octets[used..]);
        }
        column += Prefix.Length + "q??=".Length + (base64 ? Base64Length(used) : cost);
        Word(output, octets[..used], base64);
        return column;
    }

    private static bool PrefersBase64(string text)
    {
        var (octets, quoted) = (0, 0);
        foreach (var rune in text.EnumerateRunes())
        {
            octets += rune.Utf8SequenceLength;
            quoted += QuotedLength(rune);
        }
        return quoted > Base64Length(octets);
    }

    private static void Word(StringBuilder output, ReadOnlySpan<byte> octets, bool base64)
    {
        output.Append(Prefix).Append(base64 ? "b?" : "q?");
        if (base64) output.Append(Convert.ToBase64String(octets));
        else
        {
            foreach (var octet in octets)
            {
                if (octet == ' ') output.Append('_');
                else if (IsPlain((char)octet)) output.Append((char)octet);
                else output.Append(CultureInfo.InvariantCulture, $"={octet:X2}");
            }
        }
        output.Append("?=");
    }

    private static int Base64Length(int octets) => (octets + 2) / 3 * 4;

    private static int QuotedLength(Rune rune) => rune.IsAscii && (rune.Value == ' ' || IsPlain((char)rune.Value)) ? 1 : 3 * rune.Utf8SequenceLength;

    // RFC 2047 §5 (3): what a word in a phrase may have as it is, which is safe everywhere.
    private static bool IsPlain(char c) => char.IsAsciiLetterOrDigit(c) || c is '!' or '*' or '+' or '-' or '/';
}
