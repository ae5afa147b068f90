using System.Globalization;

namespace MoxApi.Api.Json;

/// <summary>Makes JSON pointers (RFC 6901) for faults.</summary>
internal static class JsonPointer
{
    // A client's own names are echoed, but not at any length.
    private const int MaxNameLength = 64;

    public static string Item(string list, int index) => string.Create(CultureInfo.InvariantCulture, $"{list}/{index}");

    public static string Member(string parent, string name)
    {
        if (name.Length > MaxNameLength) name = Shorten(name);
        // RFC 6901 §3: ~ and / are written ~0 and ~1, in this order.
        return $"{parent}/{name.Replace("~", "~0", StringComparison.Ordinal).Replace("/", "~1", StringComparison.Ordinal)}";
    }

    /// <summary>The name, or its beginning where it is long.</summary>
    public static string Shorten(string name)
    {
        if (name.Length <= MaxNameLength) return name;
        var end = char.IsHighSurrogate(name[MaxNameLength - 1]) ? MaxNameLength - 1 : MaxNameLength;
        return name[..end] + "…";
    }
}
