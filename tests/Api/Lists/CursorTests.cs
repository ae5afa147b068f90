using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.WebUtilities;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Migrations.Identifiers;
using Xunit;

namespace MoxApi.Tests.Api.Lists;

public sealed class CursorTests : IDisposable
{
    private static readonly Place Known = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, 123, TimeSpan.Zero), 42);

    private readonly PublicIds ids = new(new byte[16]);

    public void Dispose() => ids.Dispose();

    [Fact]
    public void A_cursor_leads_back_to_its_place_in_either_direction()
    {
        var cursor = Known.ToCursor(TimedList.Messages, ids);
        Assert.Equal(new PageRequest(20, Known), Read($"?after={cursor}").Page);
        Assert.Equal(new PageRequest(20, Known, Backward: true), Read($"?before={cursor}").Page);
        Assert.Equal(new PageRequest(20), Read("").Page);
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
        AssertRefused("after", cursor);
        AssertRefused("before", cursor);
    }

    [Fact]
    public void Another_installations_cursor_is_refused()
    {
        using var others = new PublicIds([.. Enumerable.Range(0, 16).Select(n => (byte)n)]);
        AssertRefused("after", Known.ToCursor(TimedList.Messages, others));
    }

    [Theory]
    [InlineData(TimedList.Events)]
    [InlineData(TimedList.Attempts)]
    [InlineData(TimedList.Received)]
    [InlineData(TimedList.Suppressions)]
    public void Another_lists_cursor_is_refused(TimedList other)
    {
        AssertRefused("after", Known.ToCursor(other, ids));
        Assert.Equal(Known, ids.CursorsOf(other)(Known.ToCursor(other, ids)));
    }

    [Fact]
    public void An_id_is_no_cursor_although_it_is_made_alike() =>
        AssertRefused("after", ids.Make(PublicIdKind.Message, 42)["msg_".Length..]);

    [Fact]
    public void Another_lists_cursor_is_named_beside_what_else_is_wrong()
    {
        var (_, faults) = Read($"?limit=0&after={Known.ToCursor(TimedList.Events, ids)}&colour=red");
        Assert.Equal(
            [("colour", "unknown_field"), ("limit", "invalid_value"), ("after", "invalid_cursor")],
            faults.All.Select(fault => (fault.Parameter, fault.Code)));
    }

    [Fact]
    public void A_page_is_after_or_before_a_place()
    {
        var cursor = Known.ToCursor(TimedList.Messages, ids);
        var fault = Assert.Single(Read($"?after={cursor}&before={cursor}").Faults.All);
        Assert.Equal(("before", "invalid_value"), (fault.Parameter, fault.Code));
    }

    private void AssertRefused(string parameter, string cursor)
    {
        var fault = Assert.Single(Read($"?{parameter}={cursor}").Faults.All);
        Assert.Equal((parameter, "invalid_cursor"), (fault.Parameter, fault.Code));
    }

    private (PageRequest Page, Faults Faults) Read(string query)
    {
        var faults = new Faults();
        return (PageRequest.Read(new QueryCollection(QueryHelpers.ParseQuery(query)), ids.CursorsOf(TimedList.Messages), faults), faults);
    }
}
