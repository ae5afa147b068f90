using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Identifiers;
using Xunit;

namespace MoxApi.Tests.Api.Lists;

public sealed class PlaceTests : IDisposable
{
    private static readonly Place Known = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, 123, TimeSpan.Zero), 42);

    private readonly PublicIds ids = new(new byte[16]);

    public void Dispose() => ids.Dispose();

    [Fact]
    public void A_cursor_leads_back_to_its_place_in_either_direction()
    {
        var cursor = Known.ToCursor(TimedList.Messages, ids);
        Assert.Equal(Known, Place.Of(new PageRequest(20, cursor, null), TimedList.Messages, ids));
        Assert.Equal(Known, Place.Of(new PageRequest(20, null, cursor), TimedList.Messages, ids));
        Assert.Null(Place.Of(new PageRequest(20, null, null), TimedList.Messages, ids));
    }

    [Fact]
    public void A_cursor_is_one_that_a_request_may_have()
    {
        var cursor = Known.ToCursor(TimedList.Messages, ids);
        Assert.InRange(cursor.Length, 1, PageRequest.MaxCursor);
        Assert.Matches("^[A-Za-z0-9_-]+$", cursor);
    }

    [Fact]
    public void A_cursor_does_not_show_what_it_is_made_of() =>
        Assert.DoesNotContain(new Place(Known.At, Known.Id + 1).ToCursor(TimedList.Messages, ids)[..13], Known.ToCursor(TimedList.Messages, ids));

    [Theory]
    [InlineData("a")]
    [InlineData("aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    [InlineData("77777777777777777777777777")]
    [InlineData("0000000000000000000000000-")]
    [InlineData("msg_aaaaaaaaaaaaaaaaaaaaaaaaaa")]
    public void What_is_no_cursor_is_refused_by_the_name_of_its_parameter(string cursor)
    {
        AssertRefused("after", new PageRequest(20, cursor, null));
        AssertRefused("before", new PageRequest(20, null, cursor));
    }

    [Fact]
    public void Another_installations_cursor_is_refused()
    {
        using var others = new PublicIds([.. Enumerable.Range(0, 16).Select(n => (byte)n)]);
        AssertRefused("after", new PageRequest(20, Known.ToCursor(TimedList.Messages, others), null));
    }

    [Theory]
    [InlineData(TimedList.Events)]
    [InlineData(TimedList.Attempts)]
    [InlineData(TimedList.Received)]
    [InlineData(TimedList.Suppressions)]
    public void Another_lists_cursor_is_refused(TimedList other)
    {
        AssertRefused("after", new PageRequest(20, Known.ToCursor(other, ids), null));
        Assert.Equal(Known, Place.Of(new PageRequest(20, Known.ToCursor(other, ids), null), other, ids));
    }

    [Fact]
    public void An_id_is_no_cursor_although_it_is_made_alike() =>
        AssertRefused("after", new PageRequest(20, ids.Make(PublicIdKind.Message, 42)["msg_".Length..], null));

    private void AssertRefused(string parameter, PageRequest page)
    {
        var refusal = Assert.Throws<RefusalException>(() => Place.Of(page, TimedList.Messages, ids)).Refusal;
        Assert.Equal(422, refusal.Status);
        var fault = Assert.Single(refusal.Errors!);
        Assert.Equal((parameter, "invalid_cursor"), (fault.Parameter, fault.Code));
    }
}
