using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace MoxApi.Tests.Api.Document;

/// <summary>An operation as the OpenAPI document describes it.</summary>
/// <param name="Method">In upper case.</param>
/// <param name="Path">With parameters in braces.</param>
/// <param name="Node">What the document says.</param>
/// <param name="Document">The whole document.</param>
internal sealed partial record ApiOperation(string Method, string Path, JsonNode Node, JsonNode Document)
{
    public string Id => (string)Node["operationId"]!;

    /// <summary>The scope that it needs.</summary>
    public string Scope => ScopeWords().Match((string)Node["description"]!).Groups[1].Value;

    /// <summary>Whether an address and the account's password do as well.</summary>
    public bool TakesLogin => ((string)Node["description"]!).Contains("an address and the account's password", StringComparison.Ordinal);

    /// <summary>Whether it has ids in its path.</summary>
    public bool HasIds => Path.Contains('{', StringComparison.Ordinal);

    /// <summary>The example of its JSON body, which may be empty where nothing is needed; null where there is none.</summary>
    public JsonNode? Example => Json?["example"]?.DeepClone() ?? (Schema is { } schema && schema["required"] is null ? new JsonObject() : null);

    /// <summary>The schema of its JSON body; null where it has none.</summary>
    public JsonObject? Schema => Json?["schema"] is { } schema ? Resolve(schema) : null;

    /// <summary>Whether it has a body that may not be left out.</summary>
    public bool NeedsBody => (bool?)Node["requestBody"]?["required"] == true;

    private JsonNode? Json => Node["requestBody"]?["content"]?["application/json"];

    /// <summary>All operations of a host's document.</summary>
    public static async Task<List<ApiOperation>> AllAsync(StoredApiHost host)
    {
        var document = JsonNode.Parse((await host.GetAsync("/swagger/v1/swagger.json")).Text)!;
        return [.. document["paths"]!.AsObject().SelectMany(path => path.Value!.AsObject().Select(operation => new ApiOperation(operation.Key.ToUpperInvariant(), path.Key, operation.Value!, document)))];
    }

    /// <summary>The schema that a reference names, or the schema itself.</summary>
    public JsonObject Resolve(JsonNode schema) =>
        schema["$ref"] is { } name ? Document["components"]!["schemas"]![((string)name!).Split('/')[^1]]!.AsObject() : schema.AsObject();

    /// <summary>The path with something in place of each parameter.</summary>
    /// <param name="value">Given the path's part ahead of the parameter, and the parameter's name.</param>
    public string PathWith(Func<string, string, string> value) =>
        Parameters().Replace(Path, parameter => Uri.EscapeDataString(value(Path[..parameter.Index].TrimEnd('/').Split('/')[^1], parameter.Groups[1].Value)));

    public override string ToString() => $"{Method} {Path}";

    [GeneratedRegex("Needs the scope `([a-z]+)`")]
    private static partial Regex ScopeWords();

    [GeneratedRegex("\\{([A-Za-z]+)\\}")]
    private static partial Regex Parameters();
}
