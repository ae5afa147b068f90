using System.Net.Http.Headers;
using System.Text;
using Xunit;

namespace MoxApi.Tests.Api;

public class WebhookEndpointTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task A_webhook_is_made_with_its_secret_and_read_without()
    {
        var made = await host.PostAsync("/v1/webhooks", """{"url": "https://app.example/hook", "events": ["message.delivered"], "format": "v1"}""");
        Assert.Equal(201, made.Status);
        Assert.StartsWith("whsec_", made.Json.GetProperty("secret").GetString());
        var read = await host.GetAsync(made.Headers.Location!.OriginalString);
        Assert.Equal(200, read.Status);
        Assert.Equal("message.delivered", read.Json.GetProperty("events")[0].GetString());
        Assert.False(read.Json.TryGetProperty("secret", out _));
        Assert.False(read.Json.TryGetProperty("description", out _));
        var list = await host.GetAsync("/v1/webhooks");
        Assert.DoesNotContain("secret", list.Text);
        Assert.Equal(204, (await host.SendAsync(new HttpRequestMessage(HttpMethod.Delete, made.Headers.Location))).Status);
        Assert.Equal(404, (await host.GetAsync(made.Headers.Location.OriginalString)).Status);
    }

    [Theory]
    [InlineData("""{}""", "/url required")]
    [InlineData("""{"url": "http://app.example/"}""", "/url invalid_url")]
    [InlineData("""{"url": "ftp://app.example/"}""", "/url invalid_url")]
    [InlineData("""{"url": "/hook"}""", "/url invalid_url")]
    [InlineData("""{"url": "https://user:password@app.example/"}""", "/url invalid_url")]
    [InlineData("""{"url": "https://app.example/#part"}""", "/url invalid_url")]
    [InlineData("""{"url": "https://app.example/\r\nHost: x"}""", "/url invalid_url")]
    [InlineData("""{"url": "https://app.example/", "events": ["message.opened"]}""", "/events/0 invalid_value")]
    [InlineData("""{"url": "https://app.example/", "format": "V1"}""", "/format invalid_value")]
    [InlineData("""{"url": "https://app.example/", "description": "a\u0000b"}""", "/description invalid_character")]
    [InlineData("""[]""", " invalid_type")]
    public async Task What_is_wrong_is_named(string body, string fault)
    {
        var answer = await host.PostAsync("/v1/webhooks", body);
        Assert.Equal(422, answer.Status);
        Assert.Contains(fault, answer.Faults);
    }

    [Fact]
    public async Task Only_an_admin_may_allow_addresses_that_are_not_public()
    {
        var answer = await host.PostAsync("/v1/webhooks", """{"url": "https://10.0.0.1/", "allowPrivate": true}""");
        Assert.Equal((403, "missing_scope"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task Only_an_admin_may_move_a_webhook_that_may_call_addresses_that_are_not_public()
    {
        var made = await AsAdminAsync(HttpMethod.Post, "/v1/webhooks", """{"url": "https://10.0.0.1/hook", "allowPrivate": true}""");
        var path = made.Headers.Location!.OriginalString;

        var moved = await host.PatchAsync(path, """{"url": "https://127.0.0.1/hook", "description": "mine"}""");
        Assert.Equal((403, "missing_scope"), (moved.Status, moved.Code));
        Assert.Equal("https://10.0.0.1/hook", (await host.GetAsync(path)).Json.GetProperty("url").GetString());
        Assert.Equal(200, (await host.PatchAsync(path, """{"url": "https://10.0.0.1/hook", "description": "mine"}""")).Status);
        Assert.Equal(200, (await AsAdminAsync(HttpMethod.Patch, path, """{"url": "https://127.0.0.1/hook"}""")).Status);
    }

    [Fact]
    public async Task Leave_for_addresses_that_are_not_public_is_given_by_an_admin_and_taken_back_by_whoever_may_change_the_webhook()
    {
        var path = $"/v1/webhooks/{await MakeAsync()}";
        Assert.Equal(403, (await host.PatchAsync(path, """{"allowPrivate": true}""")).Status);
        Assert.True((await AsAdminAsync(HttpMethod.Patch, path, """{"allowPrivate": true, "url": "http://10.0.0.1/hook"}""")).Json.GetProperty("allowPrivate").GetBoolean());

        Assert.Equal(["/url invalid_url"], (await host.PatchAsync(path, """{"allowPrivate": false}""")).Faults);
        Assert.False((await host.PatchAsync(path, """{"allowPrivate": false, "url": "https://app.example/hook"}""")).Json.GetProperty("allowPrivate").GetBoolean());
        Assert.Equal(403, (await host.PatchAsync(path, """{"allowPrivate": true}""")).Status);
    }

    [Fact]
    public async Task A_large_body_is_refused()
    {
        var answer = await host.PostAsync("/v1/webhooks", $$"""{"url": "{{new string('x', 300_000)}}"}""");
        Assert.Equal((413, "too_large"), (answer.Status, answer.Code));
    }

    [Fact]
    public async Task A_webhook_is_changed_in_what_is_named_and_in_nothing_else()
    {
        var id = await MakeAsync();
        var changed = await host.PatchAsync($"/v1/webhooks/{id}", """{"description": "Order status", "disabled": true}""");

        Assert.Equal(200, changed.Status);
        Assert.Equal(("Order status", "https://app.example/hook"), (changed.Json.GetProperty("description").GetString(), changed.Json.GetProperty("url").GetString()));
        Assert.True(changed.Json.TryGetProperty("disabledAt", out _));
        Assert.False((await host.PatchAsync($"/v1/webhooks/{id}", """{"disabled": false}""")).Json.TryGetProperty("disabledAt", out _));
        Assert.Equal(200, (await host.PatchAsync($"/v1/webhooks/{id}", "{}")).Status);
        Assert.Equal(404, (await host.PatchAsync("/v1/webhooks/whk_none", """{"url": 1}""")).Status);
    }

    [Theory]
    [InlineData("""{"url": "http://app.example/", "description": "a\u0000b"}""", "/description invalid_character", "/url invalid_url")]
    [InlineData("""{"url": null, "disabled": "yes"}""", "/url invalid_type", "/disabled invalid_type")]
    [InlineData("""{"allowPrivate": 1, "secret": "x"}""", "/allowPrivate invalid_type", "/secret unknown_field")]
    [InlineData("""{"events": ["message.opened"]}""", "/events/0 invalid_value")]
    public async Task What_is_wrong_with_a_change_is_named(string body, params string[] faults)
    {
        var answer = await host.PatchAsync($"/v1/webhooks/{await MakeAsync()}", body);
        Assert.Equal(422, answer.Status);
        Assert.Equal(faults, answer.Faults);
    }

    [Fact]
    public async Task A_secret_is_rotated_with_or_without_a_body()
    {
        var id = await MakeAsync();
        var plain = await host.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v1/webhooks/{id}/rotate-secret"));
        Assert.Equal((200, "2026-11-23T10:00:00.123Z"), (plain.Status, plain.Json.GetProperty("previousSecretUntil").GetString()));
        Assert.StartsWith("whsec_", plain.Json.GetProperty("secret").GetString());
        var briefly = await host.PostAsync($"/v1/webhooks/{id}/rotate-secret", """{"overlapHours": 1}""");
        Assert.Equal("2026-11-22T11:00:00.123Z", briefly.Json.GetProperty("previousSecretUntil").GetString());
        Assert.Equal(200, (await host.PostAsync($"/v1/webhooks/{id}/rotate-secret", "{}")).Status);
        Assert.Equal(404, (await host.PostAsync("/v1/webhooks/whk_none/rotate-secret", "{}")).Status);
    }

    [Theory]
    [InlineData("""{"overlapHours": -1}""", "/overlapHours invalid_value")]
    [InlineData("""{"overlapHours": 169}""", "/overlapHours invalid_value")]
    [InlineData("""{"overlapHours": 1.5}""", "/overlapHours invalid_value")]
    [InlineData("""{"overlapHours": "24"}""", "/overlapHours invalid_type")]
    [InlineData("""{"hours": 24}""", "/hours unknown_field")]
    public async Task What_is_wrong_with_a_rotation_is_named(string body, string fault)
    {
        var answer = await host.PostAsync($"/v1/webhooks/{await MakeAsync()}/rotate-secret", body);
        Assert.Equal(422, answer.Status);
        Assert.Equal([fault], answer.Faults);
    }

    [Fact]
    public async Task A_test_and_replays_are_accepted()
    {
        var id = await MakeAsync();
        var test = await host.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v1/webhooks/{id}/test"));
        Assert.Equal((202, $"/v1/webhooks/{id}/deliveries/whd_1"), (test.Status, test.Headers.Location!.OriginalString));
        Assert.Equal(202, (await host.SendAsync(new HttpRequestMessage(HttpMethod.Post, $"/v1/webhooks/{id}/deliveries/whd_1/replay"))).Status);
        var replay = await host.PostAsync($"/v1/webhooks/{id}/replay", """{"since": "2026-11-22T10:00:00+02:00"}""");
        Assert.Equal((202, 42), (replay.Status, replay.Json.GetProperty("count").GetInt32()));
        Assert.Equal(["/since required"], (await host.PostAsync($"/v1/webhooks/{id}/replay", "{}")).Faults);
        Assert.Equal(["/since invalid_value"], (await host.PostAsync($"/v1/webhooks/{id}/replay", """{"since": "yesterday"}""")).Faults);
    }

    [Theory]
    [InlineData("POST", "/v1/webhooks/whk_none/test")]
    [InlineData("GET", "/v1/webhooks/whk_none/deliveries")]
    [InlineData("GET", "/v1/webhooks/whk_none/deliveries/whd_1")]
    [InlineData("POST", "/v1/webhooks/whk_none/deliveries/whd_1/replay")]
    public async Task What_is_not_there_is_not_found(string method, string path) =>
        Assert.Equal(404, (await host.SendAsync(new HttpRequestMessage(new HttpMethod(method), path))).Status);

    [Fact]
    public async Task Deliveries_are_listed_by_what_is_asked_for_and_a_list_does_not_carry_what_was_said()
    {
        var id = await MakeAsync();
        var list = await host.GetAsync($"/v1/webhooks/{id}/deliveries?status=failed&type=message.failed&since=2026-11-22T10:00:00%2B01:00&until=2026-11-23T00:00:00Z&limit=5");

        Assert.Equal((200, "whd_1"), (list.Status, list.Json.GetProperty("data")[0].GetProperty("id").GetString()));
        Assert.DoesNotContain("response\"", list.Text);
        Assert.Equal(
            (OpenApi.Webhooks.WebhookDeliveryStatus.Failed, OpenApi.Events.EventType.MessageFailed, new DateTimeOffset(2026, 11, 22, 9, 0, 0, TimeSpan.Zero)),
            (host.Account.Filters!.Status, host.Account.Filters.Type, host.Account.Filters.Since));
        Assert.Equal("no", (await host.GetAsync($"/v1/webhooks/{id}/deliveries/whd_1")).Json.GetProperty("response").GetProperty("body").GetString());
    }

    [Fact]
    public async Task All_that_is_wrong_with_filters_is_named()
    {
        var answer = await host.GetAsync($"/v1/webhooks/{await MakeAsync()}/deliveries?status=gone&type=message.opened&since=today&until=2026-11-22&limit=0&state=x");
        Assert.Equal(422, answer.Status);
        Assert.Equal(["state unknown_field", "limit invalid_value", "status invalid_value", "type invalid_value", "since invalid_value", "until invalid_value"], answer.Faults);
    }

    private Task<Answer> AsAdminAsync(HttpMethod method, string path, string json) => host.SendAsync(new HttpRequestMessage(method, path)
    {
        Content = new StringContent(json, Encoding.UTF8, "application/json"),
        Headers = { Authorization = new AuthenticationHeaderValue("Bearer", "mox_admin") },
    });

    private async Task<string> MakeAsync() =>
        (await host.PostAsync("/v1/webhooks", """{"url": "https://app.example/hook"}""")).Json.GetProperty("id").GetString()!;
}
