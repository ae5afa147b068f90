using System.Globalization;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;

namespace MoxApi.Api.Lists;

/// <summary>Which page of a list is wanted.</summary>
/// <param name="Limit">The entries, 1 to 100.</param>
/// <param name="After">The cursor that the page follows.</param>
/// <param name="Before">The cursor that the page ends ahead of; never together with <paramref name="After"/>.</param>
internal sealed record PageRequest(int Limit, string? After, string? Before)
{
    public const int DefaultLimit = 20;
    public const int MaxLimit = 100;
    public const int MaxCursor = 200;

    /// <summary>Whether the page is looked for from its end: its entries come in the wrong order, oldest first.</summary>
    public bool Backward => Before is not null;

    /// <summary>Reads <c>limit</c>, <c>after</c> and <c>before</c>.</summary>
    /// <exception cref="RefusalException">Something is wrong with them, or there is another parameter.</exception>
    public static PageRequest Read(IQueryCollection query)
    {
        var faults = new Faults();
        var page = Read(query, faults);
        faults.ThrowIfAny();
        return page;
    }

    /// <summary>Reads <c>limit</c>, <c>after</c> and <c>before</c>; what is wrong with them is added to the faults.</summary>
    /// <param name="query">The parameters.</param>
    /// <param name="faults">Where faults go.</param>
    /// <param name="filters">The names of the list's filters; other parameters are faults.</param>
    public static PageRequest Read(IQueryCollection query, Faults faults, params IReadOnlyCollection<string> filters)
    {
        foreach (var name in query.Keys.Where(name => name is not ("limit" or "after" or "before") && !filters.Contains(name)))
            faults.AddParameter(JsonPointer.Shorten(name), FaultCodes.UnknownField, "There is no such parameter.");
        var limit = DefaultLimit;
        if (query.TryGetValue("limit", out var text) && !(int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit))
            faults.AddParameter("limit", FaultCodes.InvalidValue, $"A page has 1 to {MaxLimit} entries.");
        var (after, before) = (Cursor(query, "after", faults), Cursor(query, "before", faults));
        if (after is not null && before is not null) faults.AddParameter("before", FaultCodes.InvalidValue, "A page is after or before a cursor, not both.");
        return new PageRequest(limit, after, before);
    }

    /// <summary>The stored id that the page starts from, in a list whose cursors are the ids of its entries; null for the beginning.</summary>
    /// <exception cref="RefusalException">The cursor is none of the list's.</exception>
    public long? PlaceOf(PublicIdKind kind, PublicIds ids) => (After ?? Before) is not { } cursor
        ? null
        : ids.TryRead(kind, cursor, out var id) ? id : throw new RefusalException(InvalidCursor());

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

    /// <summary>The answer to a cursor that has the right form, but is none of this list's.</summary>
    public Refusal InvalidCursor()
    {
        var faults = new Faults();
        AddInvalidCursor(Backward ? "before" : "after", faults);
        return faults.ToRefusal();
    }

    private static string? Cursor(IQueryCollection query, string name, Faults faults)
    {
        if (!query.TryGetValue(name, out var values)) return null;
        if (values is [{ Length: > 0 and <= MaxCursor } cursor] && PublicIds.HasFormOfCursor(cursor)) return cursor;
        AddInvalidCursor(name, faults);
        return null;
    }

    private static void AddInvalidCursor(string name, Faults faults) =>
        faults.AddParameter(name, FaultCodes.InvalidCursor, "The cursor is none that this list gave.");
}
