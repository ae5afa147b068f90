using System.Text.Json;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Document;

/// <summary>Walks over all lists of the document.</summary>
public sealed class ListWalkTests(TestPostgres postgres)
{
    [Fact]
    public async Task Every_list_takes_the_cursors_that_it_gives_and_no_others()
    {
        await using var host = await StoredApiHost.StartAsync(postgres);
        var acme = await AcmesThings.MakeAsync(host);
        var cursors = new Dictionary<string, string>();
        foreach (var operation in (await ApiOperation.AllAsync(host)).Where(o => o.Method == "GET"))
        {
            var path = operation.PathWith(acme.Of);
            var first = await host.GetAsync(path);
            if (first.Json.ValueKind != JsonValueKind.Object || !first.Json.TryGetProperty("hasMore", out _)) continue;
            Assert.True(first.Json.TryGetProperty("next", out var next), $"{operation} has no entry: make one in {nameof(AcmesThings)}.");
            cursors[path] = next.GetString()!;
            Assert.Equal((200, 0), await EntriesAsync(host, $"{path}?after={next}"));
            Assert.Equal((200, first.Json.GetProperty("data").GetArrayLength() - 1), await EntriesAsync(host, $"{path}?before={next}"));
        }

        Assert.True(cursors.Count >= 11, "The document has lost lists.");
        foreach (var (path, _) in cursors)
        {
            foreach (var foreign in cursors.Where(c => c.Key != path)) Assert.Equal((422, 0), await EntriesAsync(host, $"{path}?after={foreign.Value}"));
        }
    }

    private static async Task<(int, int)> EntriesAsync(StoredApiHost host, string path)
    {
        var answer = await host.GetAsync(path);
        return (answer.Status, answer.Json.TryGetProperty("data", out var data) ? data.GetArrayLength() : 0);
    }
}
