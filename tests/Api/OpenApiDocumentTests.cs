using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Messages;
using MoxApi.OpenApi.Webhooks;
using Xunit;

namespace MoxApi.Tests.Api;

public class OpenApiDocumentTests(ApiHost host) : IClassFixture<ApiHost>
{
    [Fact]
    public async Task The_committed_document_is_the_one_the_host_gives()
    {
        var path = Path.Combine(RepositoryRoot(), "openapi", "moxapi.v1.json");
        var given = (await host.GetAsync("/swagger/v1/swagger.json")).Text.ReplaceLineEndings("\n").TrimEnd() + "\n";
        if (Environment.GetEnvironmentVariable("MOXAPI_UPDATE_OPENAPI") == "1") await File.WriteAllTextAsync(path, given);
        Assert.True(await File.ReadAllTextAsync(path) == given, "openapi/moxapi.v1.json is out of date; run the tests with MOXAPI_UPDATE_OPENAPI=1 to rewrite it.");
    }

    [Fact]
    public async Task Every_operation_has_a_name_a_summary_a_description_a_scope_and_its_refusals()
    {
        foreach (var (name, operation) in await OperationsAsync())
        {
            Assert.False(string.IsNullOrEmpty((string?)operation["operationId"]), name);
            Assert.False(string.IsNullOrEmpty((string?)operation["summary"]), name);
            Assert.Contains("Needs the scope", (string?)operation["description"]);
            foreach (var status in new[] { "401", "403", "429", "503" })
                Assert.True(operation["responses"]![status]?["content"]?["application/problem+json"]?["schema"]?["$ref"] is not null, $"{name}: {status}");
            Assert.Contains(operation["responses"]!.AsObject(), response => response.Key[0] == '2' && !string.IsNullOrEmpty((string?)response.Value!["description"]));
        }
    }

    [Fact]
    public async Task Nothing_in_it_is_nullable_or_a_union_and_every_field_is_described()
    {
        var document = await DocumentAsync();
        Assert.StartsWith("3.1", (string?)document["openapi"]);
        Assert.DoesNotContain(Descendants(document), node => node is JsonObject map && (map["type"] is JsonArray || map["oneOf"] is not null || map["nullable"] is not null));
        foreach (var (name, schema) in document["components"]!["schemas"]!.AsObject())
        {
            foreach (var (field, value) in schema!["properties"]?.AsObject() ?? [])
                Assert.True(value!["description"] is not null || value["$ref"] is not null, $"{name}.{field} has no description.");
        }
    }

    [Fact]
    public async Task The_examples_of_requests_work()
    {
        var document = await DocumentAsync();
        foreach (var path in new[] { "/v1/messages", "/v1/messages/batch", "/v1/webhooks" })
        {
            var example = document["paths"]![path]!["post"]!["requestBody"]!["content"]!["application/json"]!["example"]!.ToJsonString();
            Assert.InRange((await host.PostAsync(path, example)).Status, 200, 202);
        }
        foreach (var (method, path) in new[] { ("patch", "/v1/webhooks/{id}"), ("post", "/v1/webhooks/{id}/rotate-secret"), ("post", "/v1/webhooks/{id}/replay") })
        {
            var example = document["paths"]![path]![method]!["requestBody"]!["content"]!["application/json"]!["example"]!.ToJsonString();
            var url = path.Replace("{id}", "whk_1", StringComparison.Ordinal);
            Assert.InRange((await (method == "patch" ? host.PatchAsync(url, example) : host.PostAsync(url, example))).Status, 200, 202);
        }
    }

    [Theory]
    [InlineData("/v1/messages", "post", typeof(SendMessageResponse))]
    [InlineData("/v1/messages/batch", "post", typeof(SendMessageBatchResponse))]
    [InlineData("/v1/messages/{id}", "get", typeof(MessageDetail))]
    [InlineData("/v1/webhooks", "post", typeof(CreatedWebhook))]
    public async Task The_examples_of_answers_are_such_answers(string path, string method, Type type)
    {
        var answer = (await DocumentAsync())["paths"]![path]![method]!["responses"]!.AsObject().Single(response => response.Key[0] == '2').Value!;
        var example = answer["content"]!["application/json"]!["example"];
        Assert.NotNull(example);
        // What the type does not know is lost, and what it must have and is not there is refused.
        var read = JsonSerializer.SerializeToNode(example.Deserialize(type, WireJson.Options), type, WireJson.Options);
        Assert.True(JsonNode.DeepEquals(example, read), $"{example}\n{read}");
    }

    [Fact]
    public async Task Ids_in_examples_look_like_ids()
    {
        var text = (await DocumentAsync()).ToJsonString();
        var found = Regex.Matches(text, "\\b(acc|msg|rcp|evt|whk|whd|dom|key|adr|sup)_[a-z0-9]+").Select(match => match.Value).Distinct().ToList();
        Assert.InRange(found.Count, 11, 1000);
        Assert.All(found, id => Assert.Matches("^[a-z]{3}_[a-z2-7]{26}$", id));
    }

    [Fact]
    public async Task The_page_to_try_it_out_is_served()
    {
        var page = await host.GetAsync("/swagger/index.html");
        Assert.Equal(200, page.Status);
        Assert.Contains("persistAuthorization", (await host.GetAsync("/swagger/index.js")).Text);
    }

    private async Task<JsonNode> DocumentAsync() => JsonNode.Parse((await host.GetAsync("/swagger/v1/swagger.json")).Text)!;

    private async Task<List<(string Name, JsonNode Operation)>> OperationsAsync()
    {
        var paths = (await DocumentAsync())["paths"]!.AsObject();
        var operations = paths.SelectMany(path => path.Value!.AsObject().Select(operation => ($"{operation.Key} {path.Key}", operation.Value!))).ToList();
        Assert.True(operations.Count >= 11);
        return operations;
    }

    private static IEnumerable<JsonNode> Descendants(JsonNode node)
    {
        var children = node switch
        {
            JsonObject map => map.Select(entry => entry.Value),
            JsonArray list => list,
            _ => [],
        };
        return children.OfType<JsonNode>().SelectMany(Descendants).Prepend(node);
    }

    private static string RepositoryRoot()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder.FullName, "MoxApi.sln"))) folder = folder.Parent!;
        return folder.FullName;
    }
}
