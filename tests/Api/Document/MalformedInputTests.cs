using System.Net.Http.Headers;
using System.Text;
using System.Text.Json.Nodes;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Document;

/// <summary>Sends every operation that takes JSON what is not in order, and expects that each fault is named by its place.</summary>
public sealed class MalformedInputTests(TestPostgres postgres) : IAsyncLifetime
{
    // The only texts of the contract that have several lines.
    private static readonly string[] Texts = ["text", "html"];

    private StoredApiHost host = null!;
    private AcmesThings acme = null!;
    private List<ApiOperation> operations = null!;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres);
        acme = await AcmesThings.MakeAsync(host);
        operations = [.. (await ApiOperation.AllAsync(host)).Where(o => o.Schema is not null)];
        Assert.NotEmpty(operations);
    }

    public async ValueTask DisposeAsync()
    {
        Assert.Empty(host.Log.Errors);
        await host.DisposeAsync();
    }

    [Fact]
    public async Task Values_of_wrong_types_are_all_named()
    {
        foreach (var operation in operations)
        {
            var body = new JsonObject();
            foreach (var (name, schema) in Properties(operation)) body[name] = WrongType(operation.Resolve(schema));
            await FaultsAsync(operation, body.ToJsonString(), [.. body.Select(p => $"/{p.Key} invalid_type")]);
        }
    }

    [Fact]
    public async Task Null_is_no_value_of_any_field()
    {
        foreach (var operation in operations)
        {
            var body = new JsonObject(Properties(operation).Select(p => KeyValuePair.Create<string, JsonNode?>(p.Name, null)));
            await FaultsAsync(operation, body.ToJsonString(), [.. body.Select(p => $"/{p.Key} invalid_type")]);
        }
    }

    [Fact]
    public async Task Unknown_and_doubled_fields_are_named_beside_what_else_is_wrong()
    {
        foreach (var operation in operations)
        {
            var known = Properties(operation).First();
            var wrong = WrongType(operation.Resolve(known.Schema))!.ToJsonString();
            await FaultsAsync(operation, $$"""{"nonsense": 1, "{{known.Name}}": {{wrong}}, "nonsense": 2}""", "/nonsense unknown_field", $"/{known.Name} invalid_type");
        }
    }

    [Fact]
    public async Task Needed_fields_that_are_missing_are_all_named()
    {
        foreach (var operation in operations.Where(o => o.Schema!["required"] is not null))
            await FaultsAsync(operation, "{}", [.. operation.Schema!["required"]!.AsArray().Select(name => $"/{name} required")]);
    }

    [Theory]
    [InlineData("\\u0000")]
    [InlineData("\\ud800")]
    public async Task A_text_with_what_no_text_has_is_named(string escape)
    {
        foreach (var operation in operations)
        {
            var texts = Properties(operation).Where(p => IsText(operation.Resolve(p.Schema))).Select(p => p.Name).ToList();
            if (texts.Count > 0) await FaultsAsync(operation, "{" + string.Join(", ", texts.Select(name => $"\"{name}\": \"a{escape}b\"")) + "}", [.. texts.Select(name => $"/{name} invalid_character")]);
        }
    }

    [Fact]
    public async Task A_line_end_in_a_text_of_one_line_is_named()
    {
        foreach (var operation in operations)
        {
            foreach (var (name, _) in Properties(operation).Where(p => IsText(operation.Resolve(p.Schema)) && !Texts.Contains(p.Name)))
            {
                var body = operation.Example!;
                body[name] = "a\r\nBcc: everybody@example.org";
                var answer = await SendAsync(operation, body.ToJsonString());
                Assert.True(answer.Status == 422 && answer.Faults.Any(f => f.StartsWith($"/{name} ", StringComparison.Ordinal)), $"{operation} takes a line end in {name}: {answer.Status} {answer.Text}");
            }
        }
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("{\"a\": 1,}")]
    [InlineData("{\"a\": 1} {}")]
    [InlineData("nonsense")]
    public async Task What_is_no_JSON_is_refused_with_the_place(string body)
    {
        var asked = operations.Where(o => body.Length > 0 || o.NeedsBody).ToList();
        Assert.True(asked.Count > 5);
        foreach (var operation in asked) await InvalidAsync(operation, Encoding.UTF8.GetBytes(body));
    }

    [Fact]
    public async Task Deep_nesting_invalid_UTF8_and_a_raw_NUL_are_refused()
    {
        foreach (var operation in operations)
        {
            await InvalidAsync(operation, Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat("{\"a\":[", 10_000))));
            await InvalidAsync(operation, Encoding.UTF8.GetBytes(new string('[', 20) + new string(']', 20)));
            await InvalidAsync(operation, [.. "{\"a\": \""u8, 0xc3, 0x28, .. "\"}"u8]);
            await InvalidAsync(operation, [.. "{\"a\": \""u8, 0, .. "\"}"u8]);
            await InvalidAsync(operation, [0xff, 0xfe, .. Encoding.Unicode.GetBytes("{}")]);
        }
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("\"text\"")]
    [InlineData("42")]
    [InlineData("null")]
    public async Task A_body_that_is_no_object_is_named(string body)
    {
        foreach (var operation in operations) await FaultsAsync(operation, body, " invalid_type");
    }

    [Fact]
    public async Task A_body_of_another_media_type_is_refused()
    {
        foreach (var operation in operations)
        {
            foreach (var type in new[] { "text/plain", "application/xml", null })
            {
                var answer = await SendAsync(operation, "{}"u8.ToArray(), type);
                Assert.True((answer.Status, answer.Code) == (415, "unsupported_media_type"), $"{operation} takes {type}: {answer.Status} {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused()
    {
        // Messages may be large: their limits are tested where they are read.
        foreach (var operation in operations.Where(o => !o.Id.StartsWith("SendMessage", StringComparison.Ordinal)))
        {
            var answer = await SendAsync(operation, $$"""{"a": "{{new string('x', 300_000)}}"}""");
            Assert.True((answer.Status, answer.Code) == (413, "too_large"), $"{operation} takes 300,000 octets: {answer.Status} {answer.Text}");
        }
    }

    private static IEnumerable<(string Name, JsonNode Schema)> Properties(ApiOperation operation) => operation.Schema!["properties"]!.AsObject().Select(p => (p.Key, p.Value!));

    private static bool IsText(JsonObject schema) => (string?)schema["type"] == "string" && schema["enum"] is null && schema["format"] is null;

    private static JsonNode? WrongType(JsonObject schema) => (string?)schema["type"] == "string" ? 42 : "text";

    private async Task InvalidAsync(ApiOperation operation, byte[] body)
    {
        var answer = await SendAsync(operation, body, "application/json");
        Assert.True((answer.Status, answer.Code) == (400, "invalid_json"), $"{operation} answers what is no JSON {answer.Status}: {answer.Text}");
        Assert.StartsWith("Line ", answer.Json.GetProperty("errors")[0].GetProperty("detail").GetString());
    }

    private async Task FaultsAsync(ApiOperation operation, string body, params string[] faults)
    {
        var answer = await SendAsync(operation, body);
        Assert.True(answer.Status == 422, $"{operation} answers {body} {answer.Status}: {answer.Text}");
        var missing = faults.Except(answer.Faults).ToList();
        Assert.True(missing.Count == 0, $"{operation} does not name {string.Join(", ", missing)} in {body}, but {string.Join(", ", answer.Faults)}");
    }

    private Task<Answer> SendAsync(ApiOperation operation, string body) => SendAsync(operation, Encoding.UTF8.GetBytes(body), "application/json");

    private Task<Answer> SendAsync(ApiOperation operation, byte[] body, string? type)
    {
        var content = new ByteArrayContent(body);
        if (type is not null) content.Headers.ContentType = new MediaTypeHeaderValue(type);
        return host.SendAsync(operation.Method, operation.PathWith(acme.Of), content, null);
    }
}
