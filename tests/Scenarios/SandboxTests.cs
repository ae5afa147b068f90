using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>The program as somebody meets it first: started without configuration, used by copying lines.</summary>
public sealed class SandboxTests(SandboxTests.Running running) : IClassFixture<SandboxTests.Running>
{
    private readonly MoxApiProcess program = running.Program;
    private readonly HttpClient client = running.Client;

    [Fact]
    public async Task The_printed_line_sends_a_message_that_arrives_and_is_reported_by_a_signed_webhook()
    {
        await using var receiver = await WebhookReceiver.StartAsync();
        var secret = await RegisterAsync(receiver.Url);
        var lines = program.Output.Split('\n').Select(l => l.Trim()).Where(l => l.StartsWith("curl ", StringComparison.Ordinal)).ToArray();
        Assert.Equal(2, lines.Length);

        var answer = (await SandboxFolder.ShellAsync($"{lines[0]} -w '\n%{{http_code}}'")).Split('\n');
        Assert.Equal("202", answer[^1]);
        var id = JsonNode.Parse(answer[0])!["id"]!.GetValue<string>();
        await receiver.ArrivedAsync();

        var recipient = await SandboxFolder.SettledAsync(client, id);
        Assert.Equal("delivered", recipient["status"]!.GetValue<string>());
        // It may go over a connection that another test's message had.
        Assert.Equal(["mail", "rcpt", "data", "body"], Steps(recipient).SkipWhile(s => s != "mail").Where(s => s != "quit"));
        var received = JsonNode.Parse(await SandboxFolder.ShellAsync(lines[1]))!["data"]!.AsArray();
        Assert.Contains(received, m => m!["subject"]!.GetValue<string>() == "Hello" && m["forwardPath"]!.GetValue<string>() == "jane@example.org");
        await AssertSignedAsync(Assert.Single(receiver.Received), secret, id);
    }

    [Theory]
    [InlineData("x550@example.org", "failed", 550, "mailbox_not_found")]
    [InlineData("x451@example.org", "delayed", 451, null)]
    [InlineData("temperror@example.org", "delayed", 451, null)]
    [InlineData("jane-permerror@example.org", "failed", 550, null)]
    public async Task Addresses_that_are_to_fail_do_so(string address, string status, int code, string? failureClass)
    {
        var recipient = await SandboxFolder.SettledAsync(client, await SandboxFolder.SendAsync(client, address, "To fail"));

        Assert.Equal(status, recipient["status"]!.GetValue<string>());
        var attempt = recipient["lastAttempt"]!;
        Assert.Equal(code, attempt["smtpCode"]!.GetValue<int>());
        Assert.NotEqual("none", attempt["failureClass"]!.GetValue<string>());
        if (failureClass is not null) Assert.Equal(failureClass, attempt["failureClass"]!.GetValue<string>());
        Assert.DoesNotContain("body", Steps(recipient));
    }

    [Fact]
    public async Task Mail_to_many_domains_at_once_is_not_too_much_for_its_own_listener()
    {
        const int Domains = 300;
        using var answer = await client.PostAsJsonAsync("/v1/messages/batch", new
        {
            messages = Enumerable.Range(0, Domains).Select(n => new { to = new[] { $"jane@d{n}x.example" }, text = "x", tags = new[] { "wide" } }),
        });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);

        await Eventually.HoldsAsync(async () => await CountAsync("delivered") + await CountAsync("delayed") == Domains, "all to be tried");
        Assert.Equal(Domains, await CountAsync("delivered"));

        async Task<int> CountAsync(string status) =>
            JsonNode.Parse(await client.GetStringAsync($"/v1/messages?tag=wide&status={status}&count=true&limit=1"))!["total"]!.GetValue<int>();
    }

    [Fact]
    public async Task Only_local_host_names_are_answered()
    {
        foreach (var path in new[] { "/v1/received", "/swagger/index.html", "/hangfire", "/healthz" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { Host = "mail.attacker.example" } };
            using var answer = await client.SendAsync(request);
            Assert.Equal(HttpStatusCode.MisdirectedRequest, answer.StatusCode);
        }
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/v1/received")).StatusCode);
    }

    private static string[] Steps(JsonNode recipient) => [.. recipient["lastAttempt"]!["conversation"]!.AsArray().Select(s => s!["step"]!.GetValue<string>())];

    private async Task<WebhookSecret> RegisterAsync(Uri url)
    {
        using var answer = await client.PostAsJsonAsync("/v1/webhooks", new { url, events = new[] { "message.delivered" } });
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.True(WebhookSecret.TryParse(JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["secret"]!.GetValue<string>(), out var secret));
        return secret;
    }

    private static async Task AssertSignedAsync(ReceivedWebhook webhook, WebhookSecret secret, string messageId)
    {
        var posted = JsonNode.Parse(webhook.Body)!;
        Assert.Equal("message.delivered", posted["type"]!.GetValue<string>());
        Assert.Equal(messageId, posted["data"]!["message"]!["id"]!.GetValue<string>());
        Assert.Equal(WebhookVerdict.Authentic, webhook.Verify(secret, TimeProvider.System.GetUtcNow()));
        var input = new JsonObject
        {
            ["requests"] = new JsonArray(new JsonObject
            {
                ["secret"] = secret.Reveal(),
                ["headers"] = System.Text.Json.JsonSerializer.SerializeToNode(webhook.Headers),
                ["body"] = Convert.ToBase64String(webhook.Body),
            }),
        };
        Assert.Equal("[\"verified\"]", (await NpmPeer.RunAsync("verify-webhook.js", input.ToJsonString(), TestContext.Current.CancellationToken)).Trim());
    }

    /// <summary>One sandbox for all of them.</summary>
    public sealed class Running : IAsyncLifetime
    {
        private readonly SandboxFolder sandbox = new();

        internal MoxApiProcess Program { get; private set; } = null!;

        internal HttpClient Client { get; private set; } = null!;

        public async ValueTask InitializeAsync()
        {
            Program = await sandbox.StartAsync();
            Client = Program.Client(SandboxFolder.Key);
        }

        public async ValueTask DisposeAsync()
        {
            Client.Dispose();
            await Program.DisposeAsync();
            sandbox.Dispose();
        }
    }
}
