using System.Net.Http.Headers;
using System.Text;
using Xunit;

namespace MoxApi.Tests.Api;

public class AccessTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Theory]
    [InlineData("GET", "/v1/messages")]
    [InlineData("GET", "/v1/messages/msg_1")]
    [InlineData("GET", "/v1/messages/msg_1/events")]
    [InlineData("GET", "/v1/messages/msg_1/raw")]
    [InlineData("GET", "/v1/webhooks")]
    [InlineData("DELETE", "/v1/webhooks/whk_1")]
    [InlineData("GET", "/v1/received")]
    [InlineData("GET", "/v1/received/msg_1/raw")]
    public async Task Without_a_valid_key_nothing_is_told(string method, string path)
    {
        foreach (var authorization in new[] { null, "Bearer mox_wrong", "Bearer", "Basic !", "Basic " + Base64("jane@acme.example:wrong"), "Digest x" })
        {
            var answer = await SendAsync(method, path, authorization);
            Assert.Equal((401, "unauthorized"), (answer.Status, answer.Code));
            Assert.NotEmpty(answer.Headers.WwwAuthenticate);
        }
    }

    [Fact]
    public async Task An_address_and_its_password_work_like_a_key() =>
        Assert.Equal(200, (await SendAsync("GET", "/v1/messages/msg_1", "Basic " + Base64("jane@acme.example:pass:word"))).Status);

    [Fact]
    public async Task A_missing_scope_is_named()
    {
        var answer = await SendAsync("GET", "/v1/webhooks", "Bearer mox_reader");
        Assert.Equal((403, "missing_scope"), (answer.Status, answer.Code));
        Assert.Contains("\"webhooks\"", answer.Json.GetProperty("title").GetString());
    }

    [Fact]
    public async Task An_admin_has_every_scope() => Assert.Equal(200, (await SendAsync("GET", "/v1/webhooks", "Bearer mox_admin")).Status);

    [Fact]
    public async Task What_the_framework_refuses_is_a_problem_document()
    {
        var nothing = await host.GetAsync("/v1/nothing");
        Assert.Equal((404, "not_found"), (nothing.Status, nothing.Code));
        var method = await SendAsync("PATCH", "/v1/messages", "Bearer " + ApiHost.Key);
        Assert.Equal((405, "method_not_allowed"), (method.Status, method.Code));
        Assert.Contains("POST", method.ContentHeaders.Allow);
    }

    [Fact]
    public async Task What_does_not_exist_is_404()
    {
        foreach (var path in new[] { "/v1/messages/msg_2", "/v1/messages/msg_2/events", "/v1/messages/msg_2/raw", "/v1/webhooks/whk_99", "/v1/received/msg_2/raw" })
        {
            var answer = await host.GetAsync(path);
            Assert.Equal((404, "not_found"), (answer.Status, answer.Code));
        }
    }

    private Task<Answer> SendAsync(string method, string path, string? authorization)
    {
        var request = new HttpRequestMessage(new HttpMethod(method), path);
        // An empty header of its own keeps the client's usual key away.
        if (authorization is null) request.Headers.Authorization = new AuthenticationHeaderValue("None");
        else request.Headers.TryAddWithoutValidation("Authorization", authorization);
        return host.SendAsync(request);
    }

    private static string Base64(string text) => Convert.ToBase64String(Encoding.UTF8.GetBytes(text));
}
