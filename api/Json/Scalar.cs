using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Json;

/// <summary>The single values of the contract: texts, numbers, switches, times and enumerations.</summary>
internal static class Scalar
{
    private static readonly ConcurrentDictionary<Type, string[]> Words = new();

    /// <summary>What is wrong with a value of a type; null where nothing is.</summary>
    public static (string Code, string Detail)? Fault(JsonElement value, JsonTypeInfo type)
    {
        var plain = Nullable.GetUnderlyingType(type.Type) ?? type.Type;
        if (plain == typeof(bool)) return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? null : WrongType(value, "true or false");
        if (plain == typeof(int)) return value.ValueKind != JsonValueKind.Number ? WrongType(value, "a number") : WholeNumber(value);
        if (plain == typeof(double)) return value.ValueKind != JsonValueKind.Number ? WrongType(value, "a number") : Number(value);
        if (value.ValueKind != JsonValueKind.String) return WrongType(value, "a string");
        if (EscapedText.Fault(JsonMarshal.GetRawUtf8Value(value)) is { } fault) return (FaultCodes.InvalidCharacter, fault);
        if (plain == typeof(DateTimeOffset)) return Time(value);
        return plain.IsEnum ? Word(value, WordsOf(plain, type.Options)) : null;
    }

    public static (string Code, string Detail) WrongType(JsonElement value, string wanted) => (FaultCodes.InvalidType, value.ValueKind == JsonValueKind.Null
        ? $"The value must be {wanted}, not null; leave the field out instead."
        : $"The value must be {wanted}, not {Name(value.ValueKind)}.");

    /// <summary>Writes a value that every type of this kind can be read from.</summary>
    public static void WriteStandIn(Utf8JsonWriter writer, JsonTypeInfo type)
    {
        if (Nullable.GetUnderlyingType(type.Type) is not null) writer.WriteNullValue();
        else if (type.Type == typeof(string)) writer.WriteStringValue("");
        else if (type.Type == typeof(bool)) writer.WriteBooleanValue(false);
        else if (type.Type == typeof(int) || type.Type == typeof(double)) writer.WriteNumberValue(0);
        else if (type.Type.IsEnum) writer.WriteStringValue(WordsOf(type.Type, type.Options)[0]);
        else writer.WriteStringValue(WireTime.Write(DateTimeOffset.UnixEpoch));
    }

    private static (string, string)? WholeNumber(JsonElement value) =>
        value.TryGetInt32(out _) ? null : (FaultCodes.InvalidValue, "The value must be a whole number of at most 32 bits.");

    private static (string, string)? Number(JsonElement value) =>
        value.TryGetDouble(out var number) && double.IsFinite(number) ? null : (FaultCodes.InvalidValue, "The number is too large.");

    private static (string, string)? Time(JsonElement value) => WireTime.TryParse(value.GetString(), out _)
        ? null
        : (FaultCodes.InvalidValue, "A time is RFC 3339 with an offset, such as 2026-11-22T10:00:00Z.");

    private static (string, string)? Word(JsonElement value, string[] words)
    {
        var written = value.GetString()!;
        if (words.Contains(written)) return null;
        var hint = Spelling.Nearest(written, words) is { } guess ? $" Did you mean \"{guess}\"?" : "";
        return (FaultCodes.InvalidValue, $"The value must be one of: {string.Join(", ", words)}.{hint}");
    }

    private static string[] WordsOf(Type type, JsonSerializerOptions options) =>
        Words.GetOrAdd(type, _ => [.. Enum.GetValues(type).Cast<object>().Select(v => JsonSerializer.SerializeToElement(v, options.GetTypeInfo(type)).GetString()!)]);

    private static string Name(JsonValueKind kind) => kind switch
    {
        JsonValueKind.Object => "an object",
        JsonValueKind.Array => "a list",
        JsonValueKind.String => "a string",
        JsonValueKind.Number => "a number",
        _ => "true or false",
    };
}
