using System.Text;
using System.Text.Json;
using MoxApi.Api.Json;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Lists;

/// <summary>Reads the filters of a list from the query. What is wrong with one is added to the faults, and it counts as absent.</summary>
internal static class Filters
{
    /// <summary>A word of an enumeration of the contract.</summary>
    public static TEnum? Word<TEnum>(IQueryCollection query, string name, Faults faults)
        where TEnum : struct, Enum
    {
        if (!query.TryGetValue(name, out var text)) return null;
        var words = Enum.GetValues<TEnum>().ToDictionary(value => JsonSerializer.SerializeToElement(value, WireJson.Options).GetString()!);
        if (text is [{ } word] && words.TryGetValue(word, out var found)) return found;
        faults.AddParameter(name, FaultCodes.InvalidValue, $"The value must be one of: {string.Join(", ", words.Keys)}.");
        return null;
    }

    /// <summary>A time, RFC 3339.</summary>
    public static DateTimeOffset? Time(IQueryCollection query, string name, Faults faults)
    {
        if (!query.TryGetValue(name, out var text)) return null;
        if (text is [{ } written] && WireTime.TryParse(written, out var time)) return time.ToUniversalTime();
        faults.AddParameter(name, FaultCodes.InvalidValue, "A time is RFC 3339 with an offset, such as 2026-11-22T10:00:00Z.");
        return null;
    }

    /// <summary><c>true</c> or <c>false</c>; false where absent.</summary>
    public static bool Switch(IQueryCollection query, string name, Faults faults)
    {
        if (!query.TryGetValue(name, out var text)) return false;
        if (text is ["true" or "false"]) return text == "true";
        faults.AddParameter(name, FaultCodes.InvalidValue, "The value must be true or false.");
        return false;
    }

    /// <summary>A text of at least one character, on one line.</summary>
    public static string? Text(IQueryCollection query, string name, int max, Faults faults)
    {
        if (!query.TryGetValue(name, out var text)) return null;
        if (text is [{ Length: > 0 } written] && written.Length <= max && !written.EnumerateRunes().Any(r => Rune.IsControl(r) || r == Rune.ReplacementChar)) return written;
        faults.AddParameter(name, FaultCodes.InvalidValue, $"The value has 1 to {max} characters, none of them a control character.");
        return null;
    }
}
