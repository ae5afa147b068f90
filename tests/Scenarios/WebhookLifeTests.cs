using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>What an owner does with a webhook, on the program as it is run.</summary>
public class WebhookLifeTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_webhook_is_tested_fails_is_inspected_gets_a_new_secret_and_has_its_failures_replayed()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        await using var installation = await Installation.CreateAsync(postgres);
        await using var node = await installation.StartNodeAsync("a");
        using var client = node.Client(installation.ApiKey);
        var webhook = await PostAsync(client, "/v1/webhooks", new { url = receiver.Url, allowPrivate = true }, HttpStatusCode.Created);
        var path = $"/v1/webhooks/{webhook["id"]}";

        receiver.AnswerWith(410, body: "moved away");
        var test = await PostAsync(client, $"{path}/test", null, HttpStatusCode.Accepted);
        var failed = await UntilAsync(client, $"{path}/deliveries/{test["id"]}", d => (string?)d["status"] == "failed");
        Assert.Equal(("moved away", 410), ((string?)failed["response"]!["body"], (int)failed["response"]!["status"]!));
        Assert.Equal(Encoding.UTF8.GetString(receiver.Received.Single().Body), (string?)failed["request"]!["body"]);
        Assert.Equal("It answered 410: it is gone.", (string?)(await GetAsync(client, path))["disabledReason"]);
        Assert.Equal("webhook_disabled", (string?)(await PostAsync(client, $"{path}/replay", new { since = "2026-01-01T00:00:00Z" }, HttpStatusCode.Conflict))["code"]);

        receiver.AnswerWith(204);
        var secret = await PostAsync(client, $"{path}/rotate-secret", null, HttpStatusCode.OK);
        using (var enabled = await client.PatchAsJsonAsync(path, new { disabled = false })) Assert.True(enabled.IsSuccessStatusCode);
        await PostAsync(client, $"{path}/deliveries/{test["id"]}/replay", null, HttpStatusCode.Accepted);
        await UntilAsync(client, $"{path}/deliveries/{test["id"]}", d => (string?)d["status"] == "delivered");

        var (first, replayed) = (receiver.Received[0], receiver.Received[1]);
        Assert.Equal(first.Id, replayed.Id);
        Assert.All(new[] { webhook, secret }, s => Assert.Equal(WebhookVerdict.Authentic, replayed.Verify(Secret(s), TimeProvider.System.GetUtcNow())));
        Assert.Equal("webhook.test", (string?)(await GetAsync(client, $"{path}/deliveries?type=webhook.test&status=delivered"))["data"]![0]!["type"]);
    }

    private static WebhookSecret Secret(JsonNode answer) => WebhookSecret.TryParse((string?)answer["secret"], out var secret) ? secret : throw new FormatException("No secret.");

    private static async Task<JsonNode> PostAsync(HttpClient client, string path, object? body, HttpStatusCode expected)
    {
        using var answer = body is null ? await client.PostAsync(path, null) : await client.PostAsJsonAsync(path, body);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == expected, text);
        return JsonNode.Parse(text)!;
    }

    private static async Task<JsonNode> GetAsync(HttpClient client, string path) => JsonNode.Parse(await client.GetStringAsync(path))!;

    private static Task<JsonNode> UntilAsync(HttpClient client, string path, Func<JsonNode, bool> condition) =>
        Eventually.GetAsync(async () => await GetAsync(client, path) is { } found && condition(found) ? found : null, path);
}
