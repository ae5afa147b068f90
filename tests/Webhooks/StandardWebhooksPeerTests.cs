using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Connections;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Posting;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

/// <summary>The public package <c>standardwebhooks</c> judges what really went over the wire.</summary>
public class StandardWebhooksPeerTests
{
    private static readonly byte[] Body = """{"type":"message.delivered","data":{"subject":"Your receipt ☺"}}"""u8.ToArray();

    private readonly WebhookSecret secret = WebhookSecret.Create();

    [Fact]
    public async Task What_is_posted_verifies_with_the_public_library_and_nothing_else_does()
    {
        var had = await PostAsync(TimeProvider.System, secret);

        Assert.Equal(
            ["verified", "No matching signature found", "No matching signature found"],
            await VerifyAsync(Request(secret, had, had.Body), Request(WebhookSecret.Create(), had, had.Body), Request(secret, had, [.. had.Body, (byte)' '])));
    }

    [Fact]
    public async Task While_secrets_change_over_both_verify_and_a_third_does_not()
    {
        var next = WebhookSecret.Create();
        var had = await PostAsync(TimeProvider.System, next, secret);

        Assert.Equal(2, had.Headers["webhook-signature"].Split(' ').Length);
        Assert.Equal(
            ["verified", "verified", "No matching signature found"],
            await VerifyAsync(Request(secret, had, had.Body), Request(next, had, had.Body), Request(WebhookSecret.Create(), had, had.Body)));
    }

    [Fact]
    public async Task Clocks_may_be_five_minutes_apart_and_not_more()
    {
        var requests = new List<JsonObject>();
        foreach (var minutes in new[] { -6, -4.5, 4.5, 6 })
        {
            var had = await PostAsync(new FakeTimeProvider(TimeProvider.System.GetUtcNow().AddMinutes(minutes)), secret);
            requests.Add(Request(secret, had, had.Body));
        }

        Assert.Equal(["Message timestamp too old", "verified", "verified", "Message timestamp too new"], await VerifyAsync([.. requests]));
    }

    private static async Task<ReceivedWebhook> PostAsync(TimeProvider clock, params WebhookSecret[] secrets)
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        using var sender = new WebhookSender(new Dialer(new(), TimeProvider.System), (_, _) => throw new InvalidOperationException("No names here."), clock);
        await sender.PostAsync(new(receiver.Url, true, secrets, "evt_5d3f", Body), default);
        return Assert.Single(receiver.Received);
    }

    private static async Task<string[]> VerifyAsync(params JsonObject[] requests)
    {
        var answer = await NpmPeer.RunAsync("verify-webhook.js", new JsonObject { ["requests"] = new JsonArray([.. requests]) }.ToJsonString(), default);
        return JsonSerializer.Deserialize<string[]>(answer)!;
    }

    private static JsonObject Request(WebhookSecret secret, ReceivedWebhook had, byte[] body) => new JsonObject
    {
        ["secret"] = secret.Reveal(),
        ["headers"] = JsonSerializer.SerializeToNode(had.Headers),
        ["body"] = Convert.ToBase64String(body),
    };
}
