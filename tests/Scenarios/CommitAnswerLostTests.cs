using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>The network breaks just after a commit: the message is stored, and the node cannot know. The client tries again with its Idempotency-Key.</summary>
public sealed class CommitAnswerLostTests(TestPostgres postgres)
{
    private const string MessageId = "<once@acme.example>";

    [Theory]
    [InlineData(100)]
    [InlineData(2 << 20)] // By way of a temporary file, and chunk by chunk.
    public async Task A_send_that_is_tried_again_with_its_key_is_one_message(int fileLength)
    {
        await using var sink = new CountingSink();
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        await using var proxy = new PostgresProxy(installation.ConnectionString);
        // Short, since nobody told the node that it holds the row: it finds that out once per lease.
        await using var node = await installation.StartNodeAsync("a", ("Database__ConnectionString", proxy.ConnectionString), ("Node__Lease", "00:00:02"));
        using var client = node.Client(installation.ApiKey);

        var lost = proxy.LoseCommitOf("INSERT INTO idempotent_answer");
        var first = await SendAsync(client, fileLength);
        await lost.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "unavailable"), (first.Status, (string?)first.Body["code"]));
        Assert.True(first.RetryAfter > TimeSpan.Zero);
        Assert.Equal(1, await CountAsync(installation));

        var (second, third) = (await SendAsync(client, fileLength), await SendAsync(client, fileLength));
        Assert.Equal((HttpStatusCode.Accepted, HttpStatusCode.Accepted), (second.Status, third.Status));
        Assert.True(JsonNode.DeepEquals(second.Body, third.Body), $"{second.Body}\n{third.Body}");
        await installation.QueueIsEmptyAsync();

        Assert.Equal(1, await CountAsync(installation));
        Assert.Equal(new Counted(1, 1), sink.Of(MessageId));
        Assert.Equal("delivered", (string?)(await client.GetFromJsonAsync<JsonNode>($"/v1/messages/{second.Body["id"]}"))!["recipients"]![0]!["status"]);
        await installation.AssertBooksBalanceAsync();
    }

    private static async Task<int> CountAsync(Installation installation)
    {
        await using var context = installation.Open();
        return await context.Messages.CountAsync(m => m.MessageIdHeader == MessageId, TestContext.Current.CancellationToken);
    }

    private static async Task<(HttpStatusCode Status, JsonNode Body, TimeSpan? RetryAfter)> SendAsync(HttpClient client, int fileLength)
    {
        var file = new { filename = "a.bin", contentType = "application/octet-stream", content = Convert.ToBase64String(new byte[fileLength]) };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages")
        {
            Content = JsonContent.Create(new { to = new[] { "jane@example.net" }, subject = "Once", text = "It works.", messageId = MessageId, attachments = new[] { file } }),
            Headers = { { "Idempotency-Key", "order-42-receipt" } },
        };
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        return (answer.StatusCode, JsonNode.Parse(await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken))!, answer.Headers.RetryAfter?.Delta);
    }
}
