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
    public async Task A_large_body_is_refused()
    {
        var answer = await host.PostAsync("/v1/webhooks", $$"""{"url": "{{new string('x', 300_000)}}"}""");
        Assert.Equal((413, "too_large"), (answer.Status, answer.Code));
    }
}
