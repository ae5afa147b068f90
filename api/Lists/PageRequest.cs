using System.Globalization;
using MoxApi.Api.Json;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;

namespace MoxApi.Api.Lists;

/// <summary>Which page of a list is wanted.</summary>
/// <param name="Limit">The entries, 1 to 100.</param>
/// <param name="From">The place that the page follows, or ends ahead of; null for the beginning of the list.</param>
/// <param name="Backward">Whether the page ends ahead of its place, and is looked for from its end: its entries come in the wrong order, oldest first.</param>
internal sealed record PageRequest(int Limit, Place? From = null, bool Backward = false)
{
    public const int DefaultLimit = 20;
    public const int MaxLimit = 100;
    public const int MaxCursor = 200;

    /// <summary>Reads <c>limit</c>, <c>after</c> and <c>before</c>.</summary>
    /// <exception cref="Problems.RefusalException">Something is wrong with them, or there is another parameter.</exception>
    public static PageRequest Read(IQueryCollection query, CursorReader cursors)
    {
        var faults = new Faults();
        var page = Read(query, cursors, faults);
        faults.ThrowIfAny();
        return page;
    }

    /// <summary>Reads <c>limit</c>, <c>after</c> and <c>before</c>; what is wrong with them is added to the faults.</summary>
    /// <param name="query">The parameters.</param>
    /// <param name="cursors">Knows the list's cursors.</param>
    /// <param name="faults">Where faults go.</param>
    /// <param name="filters">The names of the list's filters; other parameters are faults.</param>
    public static PageRequest Read(IQueryCollection query, CursorReader cursors, Faults faults, params IReadOnlyCollection<string> filters)
    {
        foreach (var name in query.Keys.Where(name => name is not ("limit" or "after" or "before") && !filters.Contains(name)))
            faults.AddParameter(JsonPointer.Shorten(name), FaultCodes.UnknownField, "There is no such parameter.");
        var limit = DefaultLimit;
        if (query.TryGetValue("limit", out var text) && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit))
            faults.AddParameter("limit", FaultCodes.InvalidValue, $"A page has 1 to {MaxLimit} entries.");
        var (after, before) = (PlaceOf(query, "after", cursors, faults), PlaceOf(query, "before", cursors, faults));
        if (query.ContainsKey("after") && query.ContainsKey("before")) faults.AddParameter("before", FaultCodes.InvalidValue, "A page is after or before a cursor, not both.");
        return new PageRequest(limit, after ?? before, before is not null);
    }

    /// <summary>Makes the page of what was found.</summary>
    /// <param name="found">At most <see cref="Limit"/> entries and one more, nearest to the cursor first.</param>
    /// <param name="cursor">The cursor of an entry.</param>
    /// <param name="map">What the page shows of an entry.</param>
    public Page<T> ToPage<TEntry, T>(IReadOnlyList<TEntry> found, Func<TEntry, string> cursor, Func<TEntry, T> map)
    {
        var entries = found.Take(Limit).ToList();
        if (Backward) entries.Reverse();
        return new Page<T>
        {
            Data = [.. entries.Select(map)],
            HasMore = found.Count > Limit,
            Next = entries.Count > 0 ? cursor(entries[^1]) : null,
            Previous = entries.Count > 0 ? cursor(entries[0]) : null,
        };
    }

    private static Place? PlaceOf(IQueryCollection query, string name, CursorReader cursors, Faults faults)
    {
        if (!query.TryGetValue(name, out var values)) return null;
        if (values is [{ Length: > 0 and <= MaxCursor } cursor] && cursors(cursor) is { } place) return place;
        faults.AddParameter(name, FaultCodes.InvalidCursor, "The cursor is none that this list gave.");
        return null;
    }
}
