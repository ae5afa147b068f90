using MoxApi.Migrations.Identifiers;

namespace MoxApi.Api.Lists;

/// <summary>The place that a cursor names; null for what is none of the list's cursors.</summary>
internal delegate Place? CursorReader(string cursor);

/// <summary>Which list's cursors are read.</summary>
internal static class Cursors
{
    /// <summary>Those of a list by time.</summary>
    public static CursorReader CursorsOf(this PublicIds ids, TimedList list) =>
        cursor => ids.TryReadCursor(list, cursor, out var at, out var id) ? new Place(at, id) : null;

    /// <summary>Those of a list by id, which are the public ids of its entries.</summary>
    public static CursorReader CursorsOf(this PublicIds ids, PublicIdKind kind) =>
        cursor => ids.TryRead(kind, cursor, out var id) ? new Place(default, id) : null;
}
