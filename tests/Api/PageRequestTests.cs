using Microsoft.AspNetCore.Http;
using MoxApi.Api.Lists;
using MoxApi.OpenApi.Lists;
using Xunit;

namespace MoxApi.Tests.Api;

public class PageRequestTests
{
    [Fact]
    public void Following_the_cursors_gives_every_entry_once_in_both_directions()
    {
        var all = Enumerable.Range(0, 10).Reverse().ToList();
        var forward = new List<int>();
        var page = Page(all, "?limit=3");
        forward.AddRange(page.Data);
        while (page.HasMore)
        {
            page = Page(all, $"?limit=3&after={page.Next}");
            forward.AddRange(page.Data);
        }
        Assert.Equal(all, forward);
        var backward = page.Data.ToList();
        do
        {
            page = Page(all, $"?limit=3&before={page.Previous}");
            backward.InsertRange(0, page.Data);
        }
        while (page.HasMore);
        Assert.Equal(all, backward);
    }

    [Fact]
    public void An_empty_page_has_no_cursors()
    {
        var page = Page([], "");
        Assert.Empty(page.Data);
        Assert.Equal((false, null, null), (page.HasMore, page.Next, page.Previous));
    }

    // What a store does: one more entry than asked for, nearest to the cursor first.
    private static Page<int> Page(List<int> all, string query)
    {
        var request = PageRequest.Read(new QueryCollection(Microsoft.AspNetCore.WebUtilities.QueryHelpers.ParseQuery(query)), cursor => new Place(default, cursor[^1] - 'a'));
        var found = request switch
        {
            { From.Id: var place, Backward: false } => all.Where(n => n < place),
            { From.Id: var place } => all.Where(n => n > place).Reverse(),
            _ => all,
        };
        return request.ToPage([.. found.Take(request.Limit + 1)], Cursor, n => n);
    }

    private static string Cursor(int place) => new string('a', 25) + (char)('a' + place);
}
