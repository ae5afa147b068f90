using MoxApi.Migrations.Identifiers;

namespace MoxApi.Api.Lists;

/// <summary>A place in a list, newest first: by time, where the id decides between equal times, so every list comes to its end; or by the id alone.</summary>
/// <param name="At">The time; the same for all entries of a list by id.</param>
/// <param name="Id">The stored id, or what else makes the order.</param>
internal readonly record struct Place(DateTimeOffset At, long Id)
{
    /// <summary>The cursor of this place in a list by time.</summary>
    public string ToCursor(TimedList list, PublicIds ids) => ids.MakeCursor(list, At, Id);
}
