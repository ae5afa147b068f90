using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>An app whose many threads all send with the same Idempotency-Key at once, over two nodes, as they do when its own queue hands a job out twice.</summary>
public sealed class SameKeyOnTwoNodesTests(TestPostgres postgres)
{
    private const int Threads = 24;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    [Fact]
    public async Task They_make_one_message_that_all_get_as_their_answer_and_another_message_is_refused()
    {
        await using var sink = new CountingSink();
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        await using var first = await installation.StartNodeAsync("a");
        await using var second = await installation.StartNodeAsync("b");
        using var firstClient = first.Client(installation.ApiKey);
        using var secondClient = second.Client(installation.ApiKey);

        // A small message, one that goes chunk by chunk, and two that differ.
        var rounds = new (string Key, int FileLength, int Kinds)[] { ("small-1", 10, 1), ("small-2", 10, 1), ("large", 2 << 20, 1), ("differing-1", 10, 2), ("differing-2", 10, 2) };
        foreach (var (key, fileLength, kinds) in rounds)
        {
            var start = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            var sends = Enumerable.Range(0, Threads).Select(n => SendAsync(n % 2 == 0 ? firstClient : secondClient, key, n / 2 % kinds, fileLength, start.Task)).ToArray();
            start.SetResult();
            var answers = await Task.WhenAll(sends);

            var kept = answers.Where(a => a.Status == HttpStatusCode.Accepted).ToList();
            Assert.Single(kept.Select(a => a.Body.ToJsonString()).Distinct());
            Assert.Single(kept.Select(a => a.Kind).Distinct());
            Assert.Equal(Threads / kinds, kept.Count);
            Assert.All(answers.Except(kept), a => Assert.Equal((HttpStatusCode.UnprocessableEntity, "idempotency_mismatch"), (a.Status, (string?)a.Body["code"])));
        }

        await installation.QueueIsEmptyAsync();
        await using var context = installation.Open();
        var stored = await context.Messages.Select(m => m.MessageIdHeader).ToListAsync(TestContext.Current.CancellationToken);
        Assert.Equal(rounds.Length, stored.Count);
        Assert.All(stored, id => Assert.Equal(new Counted(1, 1), sink.Of(id)));
        await installation.AssertBooksBalanceAsync();
    }

    // Told that the same is being done just now, a client asks again.
    private static async Task<(int Kind, HttpStatusCode Status, JsonNode Body)> SendAsync(HttpClient client, string key, int kind, int fileLength, Task start)
    {
        var file = new { filename = "a.bin", contentType = "application/octet-stream", content = Convert.ToBase64String(new byte[fileLength]) };
        await start;
        while (true)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages")
            {
                Content = JsonContent.Create(new { to = new[] { "jane@example.net" }, subject = $"{key}, {kind}", text = "It works.", attachments = new[] { file } }),
                Headers = { { "Idempotency-Key", key } },
            };
            using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
            if (answer.StatusCode != HttpStatusCode.Conflict)
                return (kind, answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!);
            Assert.NotNull(answer.Headers.RetryAfter);
            await Task.Delay(Pause, TimeProvider.System, TestContext.Current.CancellationToken);
        }
    }
}
