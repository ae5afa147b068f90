using System.Buffers.Text;

namespace MoxApi.Api.Json;

/// <summary>
/// Looks through the escapes of a JSON string that is valid JSON and valid UTF-8 for what our texts may not have. RFC 8259 §8.2 allows both
/// in JSON, but a lone surrogate is no Unicode text, and PostgreSQL's text holds no U+0000.
/// </summary>
internal static class EscapedText
{
    /// <param name="raw">The string as it was sent; quotes around it do no harm.</param>
    /// <returns>What is wrong, as a sentence for people; null where nothing is.</returns>
    public static string? Fault(ReadOnlySpan<byte> raw)
    {
        while (true)
        {
            var escape = raw.IndexOf((byte)'\\');
            if (escape < 0) return null;
            raw = raw[escape..];
            if (raw[1] != 'u')
            {
                raw = raw[2..];
                continue;
            }
            var unit = Unit(raw);
            if (unit == '\0') return "A text has no character U+0000.";
            raw = raw[6..];
            if (char.IsHighSurrogate(unit) && raw.StartsWith(@"\u"u8) && char.IsLowSurrogate(Unit(raw))) raw = raw[6..];
            else if (char.IsSurrogate(unit)) return $"A text has the surrogate U+{(int)unit:X4} only as half of a pair.";
        }
    }

    private static char Unit(ReadOnlySpan<byte> escape) =>
        Utf8Parser.TryParse(escape[2..6], out ushort unit, out _, 'x') ? (char)unit : throw new FormatException("Not the escape of valid JSON.");
}
