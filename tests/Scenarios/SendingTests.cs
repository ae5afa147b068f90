using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Accounts;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Forms, batches and schedules, through the real program.</summary>
public sealed class SendingTests(TestPostgres postgres) : IAsyncLifetime
{
    private Installation installation = null!;
    private MoxApiProcess node = null!;
    private HttpClient client = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        await StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        client.Dispose();
        await node.DisposeAsync();
        await installation.DisposeAsync();
    }

    [Fact]
    public async Task An_author_without_a_name_goes_by_the_one_that_is_stored_for_the_address()
    {
        // Another account's name for an address of its own is not used.
        await using (var context = installation.Open())
        {
            var stranger = new Account { Name = "stranger", CreatedAt = TimeProvider.System.GetUtcNow() };
            context.Add(stranger);
            await context.SaveChangesAsync(Cancel);
            context.Add(new Address { AccountId = stranger.Id, DomainId = await context.Domains.Select(d => d.Id).SingleAsync(Cancel), LocalPart = "other", DisplayName = "Stranger", CreatedAt = stranger.CreatedAt });
            await context.SaveChangesAsync(Cancel);
        }

        Assert.Equal("Acme, Inc. <receipts@acme.example>", await ShownAsync(null));
        Assert.Equal("Acme, Inc. <Receipts@acme.example>", await ShownAsync("Receipts@acme.example"));
        Assert.Equal("Shop <receipts@acme.example>", await ShownAsync("Shop <receipts@acme.example>"));
        Assert.Equal("other@acme.example", await ShownAsync("other@acme.example"));

        async Task<string?> ShownAsync(string? from)
        {
            var message = new JsonObject { ["to"] = new JsonArray("jane@example.net"), ["text"] = "x" };
            if (from is not null) message["from"] = from;
            var sent = await PostAsync("/v1/messages", message);
            return (string?)(await GetAsync($"/v1/messages/{sent["id"]}"))["from"];
        }
    }

    [Fact]
    public async Task A_form_with_a_large_file_arrives_octet_for_octet_and_is_known_by_its_key_as_JSON()
    {
        var file = new byte[3 << 20];
        new Random(1).NextBytes(file);
        using var form = new MultipartFormDataContent { { new StringContent("""{"to": ["jane@example.net"], "text": "x"}"""), "message" }, { new ByteArrayContent(file), "attachment", "ü.bin" } };
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = form, Headers = { { "Idempotency-Key", "form" } } };
        var asForm = await SendAsync(request, HttpStatusCode.Accepted);
        var json = JsonContent.Create(new { to = new[] { "jane@example.net" }, text = "x", attachments = new[] { new { filename = "ü.bin", content = Convert.ToBase64String(file) } } });
        using var again = new HttpRequestMessage(HttpMethod.Post, "/v1/messages") { Content = json, Headers = { { "Idempotency-Key", "form" } } };

        Assert.Equal((string?)asForm["id"], (string?)(await SendAsync(again, HttpStatusCode.Accepted))["id"]);
        var message = await MimeKit.MimeMessage.LoadAsync(await client.GetStreamAsync($"/v1/messages/{asForm["id"]}/raw", Cancel), Cancel);
        var part = Assert.IsType<MimeKit.MimePart>(Assert.Single(message.Attachments));
        using var copy = new MemoryStream();
        await part.Content!.DecodeToAsync(copy, Cancel);
        Assert.Equal(("ü.bin", true), (part.FileName, copy.ToArray().AsSpan().SequenceEqual(file)));
    }

    [Fact]
    public async Task A_batch_that_is_sent_again_with_its_key_sends_what_is_left_and_each_once()
    {
        var bad = Batch(8, 3);
        var first = Results(await PostAsync("/v1/messages/batch", bad, "batch"));
        var second = Results(await PostAsync("/v1/messages/batch", bad, "batch"));
        var mended = Results(await PostAsync("/v1/messages/batch", Batch(8), "batch"));

        Assert.Equal(Enumerable.Range(0, 8).Select(n => n == 3 ? 422 : 202), first.Select(r => (int)r["status"]!));
        Assert.Equal(first.Select(IdOf), second.Select(IdOf));
        Assert.Equal(first.Where((_, n) => n != 3).Select(IdOf), mended.Where((_, n) => n != 3).Select(IdOf));
        Assert.NotNull(IdOf(mended[3]));
        Assert.Equal(8, await CountAsync());

        var other = Batch(8);
        other["messages"]![5]!["text"] = "Something else";
        Assert.Equal("idempotency_mismatch", (string?)Results(await PostAsync("/v1/messages/batch", other, "batch"))[5]["problem"]!["code"]);
    }

    [Fact]
    public async Task A_batch_whose_node_is_killed_in_the_middle_is_sent_once_when_it_is_sent_again()
    {
        var running = PostAsync("/v1/messages/batch", Batch(500), "killed");
        await Eventually.HoldsAsync(async () => await CountAsync() >= 20, "the first messages of the batch");
        await node.KillAsync();
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => running);
        var before = await CountAsync();
        await node.DisposeAsync();
        client.Dispose();
        await StartAsync();

        var results = Results(await PostAsync("/v1/messages/batch", Batch(500), "killed"));

        Assert.InRange(before, 20, 499);
        Assert.All(results, r => Assert.Equal(202, (int)r["status"]!));
        Assert.Equal(500, results.Select(IdOf).Distinct().Count());
        Assert.Equal(500, await CountAsync());
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_message_waits_for_its_time_can_be_put_off_and_canceled_and_no_other_account_can_do_so()
    {
        var sendAt = TimeProvider.System.GetUtcNow().AddDays(2);
        var sent = await PostAsync("/v1/messages", Scheduled(sendAt));
        Assert.Equal("scheduled", (string?)sent["recipients"]![0]!["status"]);
        Assert.Single((await GetAsync("/v1/messages?status=scheduled"))["data"]!.AsArray());

        var later = TimeProvider.System.GetUtcNow().AddDays(30);
        var put = await PatchAsync($"{sent["id"]}", later, HttpStatusCode.OK);
        Assert.Equal(MoxApi.OpenApi.WireTime.Write(later), (string?)put["sendAt"]);
        Assert.Equal(MoxApi.OpenApi.WireTime.Write(later), (string?)put["recipients"]![0]!["nextAttemptAt"]);
        var tooLate = await PatchAsync($"{sent["id"]}", TimeProvider.System.GetUtcNow().AddDays(61), HttpStatusCode.UnprocessableEntity);
        Assert.Equal("/sendAt", (string?)tooLate["errors"]![0]!["pointer"]);

        var canceled = await PostAsync($"/v1/messages/{sent["id"]}/cancel", null);
        Assert.Equal("canceled", (string?)canceled["recipients"]![0]!["status"]);
        Assert.Equal("not_cancelable", (string?)(await PostAsync($"/v1/messages/{sent["id"]}/cancel", null, null, HttpStatusCode.Conflict))["code"]);
        Assert.Equal("not_cancelable", (string?)(await PatchAsync($"{sent["id"]}", later, HttpStatusCode.Conflict))["code"]);
        var events = (await GetAsync($"/v1/messages/{sent["id"]}/events"))["data"]!.AsArray();
        Assert.Equal(["message.canceled", "message.scheduled"], events.Select(e => (string?)e!["type"]).Where(type => type != "message.accepted").Distinct());
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_message_that_was_not_sent_for_later_cannot_be_put_off()
    {
        var sent = await PostAsync("/v1/messages", new JsonObject { ["to"] = new JsonArray("jane@example.net"), ["text"] = "x" });
        Assert.Equal("not_cancelable", (string?)(await PatchAsync($"{sent["id"]}", TimeProvider.System.GetUtcNow().AddDays(1), HttpStatusCode.Conflict))["code"]);
    }

    [Fact]
    public async Task A_message_that_is_brought_forward_is_delivered_at_once()
    {
        await using var sink = new CountingSink();
        installation.Deliver("example.net", sink.EndPoint);
        await using var delivery = await installation.StartNodeAsync("b", ("Node__Roles__0", "delivery"));
        var sent = await PostAsync("/v1/messages", Scheduled(TimeProvider.System.GetUtcNow().AddDays(2)));

        await PatchAsync($"{sent["id"]}", TimeProvider.System.GetUtcNow().AddMinutes(-1), HttpStatusCode.OK);

        await Eventually.HoldsAsync(async () => (string?)(await GetAsync($"/v1/messages/{sent["id"]}"))["recipients"]![0]!["status"] == "delivered", "the delivery");
        await installation.AssertBooksBalanceAsync();
    }

    private static JsonObject Scheduled(DateTimeOffset sendAt) => new() { ["to"] = new JsonArray("jane@example.net"), ["text"] = "x", ["sendAt"] = sendAt.ToString("o") };

    private static JsonObject Batch(int count, int? bad = null) => new()
    {
        ["messages"] = new JsonArray([.. Enumerable.Range(0, count).Select(n => (JsonNode)new JsonObject { ["to"] = new JsonArray(n == bad ? "jane" : "jane@example.net"), ["text"] = $"{n}" })]),
    };

    private static List<JsonNode> Results(JsonNode answer) => [.. answer["results"]!.AsArray().Select(r => r!)];

    private static string? IdOf(JsonNode result) => (string?)result["message"]?["id"];

    private async Task StartAsync()
    {
        node = await installation.StartNodeAsync("a", ("Node__Roles__0", "api"));
        client = node.Client(installation.ApiKey);
    }

    private async Task<int> CountAsync()
    {
        await using var context = installation.Open();
        return await context.Messages.CountAsync(Cancel);
    }

    private async Task<JsonNode> GetAsync(string path) => JsonNode.Parse(await client.GetStringAsync(path, Cancel))!;

    private async Task<JsonNode> PostAsync(string path, JsonNode? body, string? key = null, HttpStatusCode? status = null)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path);
        if (body is not null) request.Content = new StringContent(body.ToJsonString(), new MediaTypeHeaderValue("application/json"));
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return await SendAsync(request, status);
    }

    private async Task<JsonNode> PatchAsync(string id, DateTimeOffset sendAt, HttpStatusCode status)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, $"/v1/messages/{id}") { Content = JsonContent.Create(new { sendAt }) };
        return await SendAsync(request, status);
    }

    private async Task<JsonNode> SendAsync(HttpRequestMessage request, HttpStatusCode? status)
    {
        using var response = await client.SendAsync(request, Cancel);
        var text = await response.Content.ReadAsStringAsync(Cancel);
        Assert.True(status is null ? response.IsSuccessStatusCode : response.StatusCode == status, $"{response.StatusCode}: {text}");
        return JsonNode.Parse(text)!;
    }
}
