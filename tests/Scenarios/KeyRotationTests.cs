using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A domain's DKIM keys are replaced while a message waits for its time.</summary>
public class KeyRotationTests(TestPostgres postgres)
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_signed_before_verifies_by_the_records_that_are_published_when_it_arrives()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var server = new ScriptedSmtpServer();
        installation.Deliver("example.net", server.EndPoint);
        await using var node = await installation.StartNodeAsync("a");
        using var api = node.Client(installation.ApiKey);
        var sent = await PostAsync(api, "/v1/messages", new { to = new[] { "jane@example.net" }, subject = "Tomorrow", text = "x", sendAt = TimeProvider.System.GetUtcNow().AddDays(1) });
        var domain = (await api.GetFromJsonAsync<JsonElement>("/v1/domains", Cancel)).GetProperty("data")[0].GetProperty("id").GetString();

        await PostAsync(api, $"/v1/domains/{domain}/dkim-keys", new { });
        await PostAsync(api, $"/v1/domains/{domain}/dkim-keys/activate", new { });
        using var now = await api.PatchAsJsonAsync($"/v1/messages/{sent.GetProperty("id")}", new { sendAt = TimeProvider.System.GetUtcNow() }, Cancel);
        Assert.Equal(HttpStatusCode.OK, now.StatusCode);
        await Eventually.HoldsAsync(() => Task.FromResult(server.Messages.Count > 0), "the message to arrive");

        var published = (await api.GetFromJsonAsync<JsonElement>($"/v1/domains/{domain}", Cancel)).GetProperty("records").EnumerateArray()
            .Where(record => record.GetProperty("name").GetString()!.Contains("._domainkey.", StringComparison.Ordinal))
            .ToDictionary(record => record.GetProperty("name").GetString()!, record => record.GetProperty("value").GetString()!);
        Assert.Equal(4, published.Count);
        Assert.Equal(["ed25519-sha256 pass", "rsa-sha256 pass"], await VerdictsAsync(server.Messages[0].Content, published));
        await installation.AssertBooksBalanceAsync();
    }

    private static async Task<JsonElement> PostAsync(HttpClient api, string path, object body)
    {
        using var answer = await api.PostAsJsonAsync(path, body, Cancel);
        var text = await answer.Content.ReadAsStringAsync(Cancel);
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonElement.Parse(text);
    }

    private static async Task<IEnumerable<string>> VerdictsAsync(byte[] message, Dictionary<string, string> records)
    {
        var input = JsonSerializer.Serialize(new { message = Convert.ToBase64String(message), records });
        using var answer = JsonDocument.Parse(await NpmPeer.RunAsync("verify-dkim.js", input, Cancel));
        return [.. answer.RootElement.EnumerateArray().Select(each => $"{each.GetProperty("algorithm")} {each.GetProperty("result")}").Order(StringComparer.Ordinal)];
    }
}
