using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>One node takes messages, another delivers them and posts the webhooks.</summary>
public class SeparateRolesTests(TestPostgres postgres)
{
    private const int Messages = 8;

    // How often a node looks for what nobody told it of: so many messages one after the other would take longer than the test allows.
    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(2);

    [Fact]
    public async Task A_message_taken_by_one_node_wakes_the_other_which_delivers_it_and_posts_the_webhook()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var sink = new CountingSink();
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        var lease = ("Node__Lease", "00:00:06"); // Nodes learn of each other as often as they renew it.
        await using var worker = await installation.StartNodeAsync("b", lease, ("Node__Roles__0", "delivery"), ("Node__Roles__1", "webhooks"));
        await using var front = await installation.StartNodeAsync("a", lease, ("Node__Roles__0", "api"));
        await RegisterAsync(installation, front, receiver.Url);
        await SendOneAsync(installation, front, sink, receiver, 0); // Both programs have done everything once.

        var since = TimeProvider.System.GetTimestamp();
        for (var n = 1; n <= Messages; n++) await SendOneAsync(installation, front, sink, receiver, n);

        Assert.InRange(TimeProvider.System.GetElapsedTime(since), TimeSpan.Zero, (Messages - 1) * Poll);
        await installation.QueueIsEmptyAsync();
        await installation.AssertBooksBalanceAsync();
    }

    private static async Task SendOneAsync(Installation installation, MoxApiProcess front, CountingSink sink, WebhookReceiver receiver, int n)
    {
        var messageId = $"<{n}@acme.example>";
        await installation.SendAsync(front, messageId);
        await receiver.ArrivedAsync();
        Assert.Equal(new Counted(1, 1), sink.Of(messageId));
        Assert.Equal(messageId, JsonNode.Parse(receiver.Received[^1].Body)!["data"]!["message"]!["messageId"]!.GetValue<string>());
    }

    private static async Task RegisterAsync(Installation installation, MoxApiProcess node, Uri url)
    {
        using var client = node.Client(installation.ApiKey);
        using var answer = await client.PostAsJsonAsync("/v1/webhooks", new { url, events = new[] { "message.delivered" }, allowPrivate = true });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }
}
