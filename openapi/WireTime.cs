using System.Globalization;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace MoxApi.OpenApi;

/// <summary>Times on the wire: RFC 3339, written in UTC with milliseconds.</summary>
public sealed class WireTime : JsonConverter<DateTimeOffset>
{
    /// <summary>Writes a time: <c>2026-11-22T10:00:00.123Z</c>.</summary>
    public static string Write(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    /// <summary>Reads a date and time with an offset (RFC 3339 §5.6); the first 7 digits of a second's fraction count.</summary>
    public static bool TryParse(string? text, out DateTimeOffset time)
    {
        time = default;
        // RFC 3339 §5.6: time-offset is not optional, and a time without one would be read in this machine's zone.
        if (text is not { Length: >= 20 and <= 40 } || text[10] is not ('T' or 't') || !HasOffset(text) || text[Second..] is ['.', < '0' or > '9', ..]) return false;
        return DateTimeOffset.TryParseExact(ShortenFraction(text).ToUpperInvariant(), Forms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out time);
    }

    /// <inheritdoc/>
    public override DateTimeOffset Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        TryParse(reader.GetString(), out var time) ? time : throw new JsonException("A time is RFC 3339 with an offset.");

    /// <inheritdoc/>
    public override void Write(Utf8JsonWriter writer, DateTimeOffset value, JsonSerializerOptions options) => writer.WriteStringValue(Write(value));

    // Where the seconds end.
    private const int Second = 19;

    private static readonly string[] Forms = ["yyyy-MM-dd'T'HH:mm:ss.FFFFFFF'Z'", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz"];

    // RFC 3339 §5.6: a fraction has any number of digits, and Go writes nine.
    private static string ShortenFraction(string text)
    {
        if (text[Second] != '.') return text;
        var end = text.AsSpan(Second + 1).IndexOfAnyExceptInRange('0', '9') + Second + 1;
        return end > Second + 8 ? text.Remove(Second + 8, end - Second - 8) : text;
    }

    private static bool HasOffset(string text) => text[^1] is 'Z' or 'z' || text[^6] is '+' or '-';
}
