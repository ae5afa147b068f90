using System.Collections.Concurrent;
using System.Net.Http.Headers;
using Microsoft.AspNetCore.Http;
using MoxApi.Api.Commands;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Messages;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Signing;
using Spectre.Console;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookListenTests : IAsyncLifetime
{
    private readonly StringWriter output = new();
    private readonly WebhookSecret secret = WebhookSecret.Create();
    private readonly ConcurrentQueue<string> asked = new();
    private readonly CancellationTokenSource stop = new();
    private readonly TaskCompletionSource<Uri> registered = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private WebhookReceiver api = null!;

    public async ValueTask InitializeAsync()
    {
        api = await WebhookReceiver.StartAsync();
        api.Answer = AnswerAsync;
    }

    public async ValueTask DisposeAsync()
    {
        await stop.CancelAsync();
        await api.DisposeAsync();
        stop.Dispose();
    }

    [Fact]
    public async Task It_registers_prints_what_is_authentic_and_deletes_its_registration()
    {
        var listening = WebhookListen.RunAsync(0, null, new(new(api.Url, "/"), "mox_local_sandbox"), Console(), stop.Token);
        var url = await registered.Task.WaitAsync(WebhookBed.Patience);

        // Events may come before the answer to the registration was read: then they are asked to come again.
        await WebhookBed.UntilAsync(async () => await PostAsync(url, secret) == 204);
        Assert.Equal(401, await PostAsync(url, WebhookSecret.Create()));
        await stop.CancelAsync();
        Assert.Equal(0, await listening.WaitAsync(WebhookBed.Patience));

        Assert.Contains("message.delivered  jane@example.org  delivered  msg_1  250 ok [red]   more", output.ToString(), StringComparison.Ordinal);
        Assert.Contains("refused  WrongSignature", output.ToString(), StringComparison.Ordinal);
        Assert.Equal(["POST /v1/webhooks Bearer mox_local_sandbox", "DELETE /v1/webhooks/whk_1 Bearer mox_local_sandbox"], asked);
    }

    [Fact]
    public async Task It_says_so_where_there_is_no_service()
    {
        Assert.Equal(1, await WebhookListen.RunAsync(0, null, new(new("http://127.0.0.1:1/"), "key"), Console(), stop.Token).WaitAsync(WebhookBed.Patience));
        Assert.Contains("There is no MoxApi at http://127.0.0.1:1/", output.ToString().ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_says_so_where_the_port_is_taken()
    {
        Assert.Equal(1, await WebhookListen.RunAsync(api.Url.Port, secret, null, Console(), stop.Token).WaitAsync(WebhookBed.Patience));
        Assert.Contains("address already in use", output.ToString().ReplaceLineEndings(" "), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("webhook listen", true)]
    [InlineData("webhook listen --port 9000 --api http://127.0.0.1:2080 --key mox_x", true)]
    [InlineData("webhook listen --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", true)]
    [InlineData("webhook listen --secret hunter2", false)]
    [InlineData("webhook listen --port 0", false)]
    [InlineData("webhook listen --port 70000", false)]
    public void The_options_are_checked(string line, bool good)
    {
        var root = new System.CommandLine.RootCommand { WebhookListen.Create() };

        Assert.Equal(good, root.Parse(line).Errors.Count == 0);
    }

    private IAnsiConsole Console() => AnsiConsole.Create(new() { Out = new AnsiConsoleOutput(output) });

    private async Task AnswerAsync(HttpContext context)
    {
        asked.Enqueue($"{context.Request.Method} {context.Request.Path} {context.Request.Headers.Authorization}");
        if (context.Request.Method != "POST")
        {
            context.Response.StatusCode = 204;
            return;
        }
        var request = System.Text.Json.JsonSerializer.Deserialize<CreateWebhookRequest>(api.Received.Last().Body, WireJson.Options)!;
        registered.TrySetResult(new(request.Url));
        context.Response.StatusCode = 201;
        await context.Response.WriteAsJsonAsync(
            new CreatedWebhook { Id = "whk_1", Url = request.Url, Events = [], Format = WebhookFormat.V1, AllowPrivate = false, CreatedAt = DateTimeOffset.UnixEpoch, Secret = secret.Reveal() },
            WireJson.Options);
    }

    private static async Task<int> PostAsync(Uri url, WebhookSecret key)
    {
        var body = System.Text.Json.JsonSerializer.SerializeToUtf8Bytes(new Event
        {
            Type = EventType.MessageDelivered,
            Timestamp = DateTimeOffset.UnixEpoch,
            Data = new()
            {
                EventId = "evt_1",
                AccountId = "acc_1",
                Message = new() { Id = "msg_1", MessageId = "", Subject = "", Tags = [], Metadata = new Dictionary<string, string>() },
                Recipient = new() { Id = "rcp_1", Address = "jane@example.org", Status = RecipientStatus.Delivered },
                Attempt = new() { Number = 1, SmtpCode = 250, Reply = "ok [red]\u001b\r\nmore", FailureClass = FailureClass.None },
            },
        }, WireJson.Options);
        var timestamp = StandardWebhooksSigner.Timestamp(TimeProvider.System.GetUtcNow());
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } } };
        request.Headers.Add("webhook-id", "evt_1");
        request.Headers.Add("webhook-timestamp", timestamp);
        request.Headers.Add("webhook-signature", StandardWebhooksSigner.Sign(key, "evt_1", timestamp, body));
        using var answer = await http.SendAsync(request);
        return (int)answer.StatusCode;
    }
}
