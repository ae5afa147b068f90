using System.Text;
using System.Text.Json;
using MoxApi.Api.Json;
using MoxApi.OpenApi.Messages;
using MoxApi.OpenApi.Webhooks;
using Xunit;

namespace MoxApi.Tests.Api;

public class RequestBinderTests
{
    [Theory]
    [InlineData("""{"to": "jane@example.org"}""", "/to invalid_type")]
    [InlineData("""{"to": [null]}""", "/to/0 invalid_type")]
    [InlineData("""{"text": true}""", "/text invalid_type")]
    [InlineData("""{"metadata": {"a/b~c": 1}}""", "/metadata/a~1b~0c invalid_type")]
    [InlineData("""{"text": "a", "text": "b"}""", "/text duplicate_field")]
    [InlineData("""{"metadata": {"a": "", "\u0061": ""}}""", "/metadata/a duplicate_field")]
    [InlineData("""{"text": "a\u0000b"}""", "/text invalid_character")]
    [InlineData("""{"text": "a\ud800b"}""", "/text invalid_character")]
    [InlineData("""{"text": "\udc00\ud800"}""", "/text invalid_character")]
    [InlineData("""{"tags": ["\ud83d\u0041"]}""", "/tags/0 invalid_character")]
    [InlineData("""{"\ud800": 1}""", " invalid_character")]
    [InlineData("""{"metadata": {"\u0000": ""}}""", "/metadata invalid_character")]
    [InlineData("""{"date": "2026-11-22T10:00:00"}""", "/date invalid_value")]
    [InlineData("""{"date": "yesterday"}""", "/date invalid_value")]
    [InlineData("""{"requireTls": "Required"}""", "/requireTls invalid_value")]
    [InlineData("""{"requireTls": 1}""", "/requireTls invalid_type")]
    [InlineData("""{"attachments": [{"filename": "a"}]}""", "/attachments/0/content required")]
    [InlineData("""{"attachments": [5]}""", "/attachments/0 invalid_type")]
    [InlineData("""{"From": "a@b.example"}""", "/From unknown_field")]
    [InlineData("\"text\"", " invalid_type")]
    public void Each_fault_is_named_once(string json, string fault)
    {
        var (_, faults) = Bind<SendMessageRequest>(json);
        Assert.Equal([fault], faults.ToRefusal().Errors!.Select(f => $"{f.Pointer} {f.Code}"));
    }

    [Theory]
    [InlineData("reply_to", "replyTo")]
    [InlineData("Subjekt", "subject")]
    [InlineData("attachment", "attachments")]
    [InlineData("banana", null)]
    public void A_near_name_is_suggested(string written, string? meant)
    {
        var (_, faults) = Bind<SendMessageRequest>($$"""{"{{written}}": 1}""");
        var detail = faults.ToRefusal().Errors!.Single().Detail;
        Assert.Equal(meant is null ? $"There is no field \"{written}\"." : $"There is no field \"{written}\"; did you mean \"{meant}\"?", detail);
    }

    [Fact]
    public void Surrogate_pairs_and_backslashes_are_text()
    {
        var (request, faults) = Bind<SendMessageRequest>("""{"text": "\ud83d\ude00 \\u0000 \\\\ud800 \/ \n"}""");
        Assert.False(faults.Any);
        Assert.Equal("😀 \\u0000 \\\\ud800 / \n", request.Text);
    }

    [Fact]
    public void Values_beside_faulty_ones_keep_their_places()
    {
        var (request, faults) = Bind<SendMessageRequest>("""{"to": [1, "a@b.example", {}, "c@d.example"], "metadata": {"a": 1, "b": "x"}, "subject": "s", "wrong": [[]]}""");
        Assert.Equal(["", "a@b.example", "", "c@d.example"], request.To!);
        Assert.Equal("x", request.Metadata!["b"]);
        Assert.Equal("s", request.Subject);
        Assert.Equal(4, faults.ToRefusal().Errors!.Count);
    }

    [Fact]
    public void An_answer_stays_small_whatever_was_sent()
    {
        var json = new StringBuilder("{");
        for (var i = 0; i < 20_000; i++) json.Append(i == 0 ? "" : ",").Append('"').Append(new string('x', 100)).Append(i).Append("\":[1]");
        var (_, faults) = Bind<SendMessageRequest>(json.Append('}').ToString());
        var errors = faults.ToRefusal().Errors!;
        Assert.InRange(errors.Count, 1, Faults.Limit);
        Assert.All(errors, fault => Assert.InRange(fault.Pointer!.Length + fault.Detail.Length, 1, 300));
    }

    [Fact]
    public void A_long_list_is_not_walked()
    {
        var (request, faults) = Bind<SendMessageRequest>($$"""{"to": [{{string.Join(',', Enumerable.Repeat("0", 100_000))}}]}""");
        Assert.Equal(["/to too_many"], faults.ToRefusal().Errors!.Select(f => $"{f.Pointer} {f.Code}"));
        Assert.Empty(request.To!);
    }

    [Fact]
    public void Any_JSON_is_bound_or_named_faulty()
    {
        var random = new Random(42);
        for (var round = 0; round < 1500; round++)
        {
            var json = Something(random, 4);
            var (send, sendFaults) = Bind<SendMessageRequest>(json);
            var (webhook, webhookFaults) = Bind<CreateWebhookRequest>(json);
            Assert.NotNull(send);
            Assert.NotNull(webhook.Url);
            // Without faults the serializer, strict by itself, must find the same.
            if (!sendFaults.Any) Assert.NotNull(JsonSerializer.Deserialize<SendMessageRequest>(json, MoxApi.OpenApi.WireJson.Options));
            if (!webhookFaults.Any) Assert.NotNull(JsonSerializer.Deserialize<CreateWebhookRequest>(json, MoxApi.OpenApi.WireJson.Options));
        }
    }

    private static string Something(Random random, int depth)
    {
        string[] names = ["to", "text", "url", "events", "attachments", "filename", "content", "metadata", "date", "requireTls", "allowPrivate", "format", "headers", "name", "x"];
        string[] scalars = ["null", "1", "1.5", "true", "\"\"", "\"v1\"", "\"required\"", "\"message.failed\"", "\"2026-11-22T10:00:00Z\"", "\"\\ud800\""];
        return (depth == 0 ? 9 : depth == 4 ? 0 : random.Next(6)) switch
        {
            0 or 1 => "{" + string.Join(',', Enumerable.Range(0, random.Next(5)).Select(_ => $"\"{names[random.Next(names.Length)]}\":{Something(random, depth - 1)}")) + "}",
            2 => "[" + string.Join(',', Enumerable.Range(0, random.Next(4)).Select(_ => Something(random, depth - 1))) + "]",
            _ => scalars[random.Next(scalars.Length)],
        };
    }

    private static (T Request, Faults Faults) Bind<T>(string json) where T : class
    {
        var faults = new Faults();
        using var document = JsonBody.Parse(Encoding.UTF8.GetBytes(json));
        return (RequestBinder.Bind<T>(document.RootElement, faults), faults);
    }
}
