using System.Text.Json;
using System.Text.Json.Nodes;
using MoxApi.Mail.Connections;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Posting;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

/// <summary>The public package <c>standardwebhooks</c> judges what really went over the wire.</summary>
public class StandardWebhooksPeerTests
{
    [Fact]
    public async Task What_is_posted_verifies_with_the_public_library_and_nothing_else_does()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var sender = new WebhookSender(new Dialer(new(), TimeProvider.System), (_, _) => throw new InvalidOperationException("No names here."), TimeProvider.System);
        var secret = WebhookSecret.Create();
        await sender.PostAsync(new(receiver.Url, true, secret, "evt_5d3f", """{"type":"message.delivered","data":{"subject":"Your receipt ☺"}}"""u8.ToArray()), default);
        var had = Assert.Single(receiver.Received);

        var requests = new JsonArray(
            Request(secret, had, had.Body),
            Request(WebhookSecret.Create(), had, had.Body),
            Request(secret, had, [.. had.Body, (byte)' ']));
        var answer = await NpmPeer.RunAsync("verify-webhook.js", new JsonObject { ["requests"] = requests }.ToJsonString(), default);

        Assert.Equal(["verified", "No matching signature found", "No matching signature found"], JsonSerializer.Deserialize<string[]>(answer)!);
    }

    private static JsonObject Request(WebhookSecret secret, ReceivedWebhook had, byte[] body) => new JsonObject
    {
        ["secret"] = secret.Reveal(),
        ["headers"] = JsonSerializer.SerializeToNode(had.Headers),
        ["body"] = Convert.ToBase64String(body),
    };
}
