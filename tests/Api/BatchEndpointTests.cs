using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Xunit;

namespace MoxApi.Tests.Api;

public class BatchEndpointTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task Each_message_has_its_result_in_order_and_a_bad_one_stops_no_other()
    {
        var answer = await SendAsync("""
            {"messages": [
              {"to": ["jane@example.org"], "text": "1", "messageId": "<mixed-0@acme.example>"},
              {"to": ["jane@", 5], "wrong": 1, "attachments": [{"filename": "a", "content": "A-_A"}]},
              {"to": ["sam@example.net"], "text": "2", "messageId": "<mixed-2@acme.example>", "attachments": [{"filename": "a", "content": "AAEC"}]},
              "no message",
              {"to": ["a@example.net"], "text": "3", "subject": "broken"},
              {"to": ["a@example.net"], "text": "3", "subject": "away"},
              {"to": ["kim@example.net"], "text": "4", "messageId": "<mixed-6@acme.example>"}
            ]}
            """);
        Assert.Equal(200, answer.Status);
        var results = answer.Json.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal([202, 422, 202, 422, 500, 503, 202], results.Select(r => r.GetProperty("status").GetInt32()));
        Assert.Equal(["<mixed-0@acme.example>", "<mixed-2@acme.example>", "<mixed-6@acme.example>"], results.Where(r => r.TryGetProperty("message", out _)).Select(r => r.GetProperty("message").GetProperty("messageId").GetString()));
        Assert.Equal(
            ["/messages/1/attachments/0/content invalid_base64", "/messages/1/text required", "/messages/1/to/0 invalid_address", "/messages/1/to/1 invalid_type", "/messages/1/wrong unknown_field"],
            FaultsOf(results[1]).Order(StringComparer.Ordinal));
        Assert.Equal(["/messages/3 invalid_type", "/messages/3/to required", "/messages/3/text required"], FaultsOf(results[3]));
        Assert.Equal(["invalid_request", "invalid_request", "internal_error", "unavailable"], results.Where(r => r.TryGetProperty("problem", out _)).Select(r => r.GetProperty("problem").GetProperty("code").GetString()));
        Assert.Equal([null, null, null, null, null, 10, null], results.Select(r => r.TryGetProperty("problem", out var problem) && problem.TryGetProperty("retryAfter", out var wait) ? wait.GetInt32() : (int?)null));
        Assert.DoesNotContain("secret", answer.Text);
        Assert.Equal<byte[]>([[0, 1, 2]], host.Account.Sent.Single(sent => sent.Draft.MessageId == "<mixed-2@acme.example>").Files);
    }

    [Fact]
    public async Task A_batch_of_500_is_answered_in_order()
    {
        var answer = await SendAsync($$"""{"messages": [{{Messages(500, "long")}}]}""");
        Assert.Equal(
            Enumerable.Range(0, 500).Select(n => $"<long-{n}@acme.example>"),
            answer.Json.GetProperty("results").EnumerateArray().Select(r => r.GetProperty("message").GetProperty("messageId").GetString()));
    }

    [Theory]
    [InlineData("""{"messages": []}""", "/messages required")]
    [InlineData("""{}""", "/messages required")]
    [InlineData("""{"messages": {}}""", "/messages invalid_type")]
    [InlineData("""{"messages": null}""", "/messages invalid_type")]
    [InlineData("""{"message": [{"to": ["a@example.org"], "text": "x"}]}""", "/message unknown_field;/messages required")]
    [InlineData("""{"messages": [{"to": ["a@example.org"], "text": "x"}], "messages": []}""", "/messages duplicate_field")]
    [InlineData("""[{"to": ["a@example.org"], "text": "x"}]""", " invalid_type")]
    [InlineData("""{"messages": [{"to": ["x"], "text": "t"}, {"to": ["a@example.org"], "text": "x"}, {"to": 1}], "foo": 1}""",
        "/foo unknown_field;/messages/0/to/0 invalid_address;/messages/2/to invalid_type;/messages/2/text required")]
    [InlineData("""{"messages": [], "foo": 1}""", "/foo unknown_field;/messages required")]
    [InlineData("""{"messages": [{"to": ["a@example.org"], "text": "x"}], "\ud800xxxx": 1}""", " invalid_character")]
    [InlineData("""{"\ud800xxxx": 1, "messages": [{"to": ["a@example.org"], "text": "x"}]}""", " invalid_character")]
    public async Task What_is_around_the_messages_must_be_in_order(string body, string faults)
    {
        var before = host.Account.Sent.Count;
        var answer = await SendAsync(body);
        Assert.Equal(422, answer.Status);
        Assert.Equal(faults.Split(';'), answer.Faults);
        Assert.Equal(before, host.Account.Sent.Count);
    }

    [Fact]
    public async Task A_batch_has_at_most_500_messages()
    {
        var answer = await SendAsync($$"""{"messages": [{{Messages(501, "more")}}]}""");
        Assert.Equal(["/messages too_many"], answer.Faults);
        Assert.DoesNotContain(host.Account.Sent, sent => sent.Draft.MessageId?.StartsWith("<more", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Nothing_is_sent_of_a_batch_that_is_no_JSON_in_the_end()
    {
        var answer = await SendAsync($$"""{"messages": [{{Messages(10, "cut")}}""");
        Assert.Equal((400, "invalid_json"), (answer.Status, answer.Code));
        Assert.DoesNotContain(host.Account.Sent, sent => sent.Draft.MessageId?.StartsWith("<cut", StringComparison.Ordinal) == true);
    }

    [Fact]
    public async Task Each_message_of_a_batch_with_a_key_has_a_key_of_its_own_that_no_client_can_write()
    {
        await SendAsync($$"""{"messages": [{{Messages(3, "keyed")}}]}""", "batch-1");
        await SendAsync($$"""{"messages": [{{Messages(2, "keyed")}}]}""", "batch-1");
        var keys = host.Account.Sent.Where(sent => sent.Draft.MessageId?.StartsWith("<keyed", StringComparison.Ordinal) == true).GroupBy(sent => sent.Draft.MessageId!).ToDictionary(g => g.Key, g => g.Select(s => s.Key).Distinct().Single());
        Assert.Equal(3, keys.Values.Distinct().Count());
        Assert.All(keys.Values, key => Assert.True(key!.StartsWith("batch-1", StringComparison.Ordinal) && key.Any(char.IsControl)));
    }

    private Task<Answer> SendAsync(string body, string? key = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/messages/batch") { Content = new StringContent(body, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        if (key is not null) request.Headers.Add("Idempotency-Key", key);
        return host.SendAsync(request);
    }

    private static string Messages(int count, string name) =>
        string.Join(',', Enumerable.Range(0, count).Select(n => $$"""{"to": ["jane@example.org"], "text": "x", "messageId": "<{{name}}-{{n}}@acme.example>"}"""));

    private static IEnumerable<string> FaultsOf(JsonElement result) =>
        result.GetProperty("problem").GetProperty("errors").EnumerateArray().Select(f => $"{f.GetProperty("pointer").GetString()} {f.GetProperty("code").GetString()}");
}
