using MoxApi.Api.Problems;
using MoxApi.Migrations.Identifiers;

namespace MoxApi.Api.Lists;

/// <summary>A place in a list that is ordered by time, newest first; the id decides between equal times, so every list comes to its end.</summary>
internal readonly record struct Place(DateTimeOffset At, long Id)
{
    /// <summary>Where a page starts; null for the beginning of the list.</summary>
    /// <exception cref="RefusalException">The cursor is none of the list's.</exception>
    public static Place? Of(PageRequest page, TimedList list, PublicIds ids)
    {
        if ((page.After ?? page.Before) is not { } cursor) return null;
        return ids.TryReadCursor(list, cursor, out var at, out var id) ? new Place(at, id) : throw new RefusalException(page.InvalidCursor());
    }

    /// <summary>The cursor of this place in a list.</summary>
    public string ToCursor(TimedList list, PublicIds ids) => ids.MakeCursor(list, At, Id);
}
