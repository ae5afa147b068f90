using System.Text;
using System.Text.Json.Nodes;

namespace MoxApi.Tests.Api.Document;

/// <summary>Makes requests of the document's operations, the same in every run.</summary>
internal sealed class RequestFuzzer(
    Random random, List<ApiOperation> operations, AcmesThings acme, IReadOnlyDictionary<string, string[]> disposable, string tenant, string admin)
{
    private static readonly string[] Methods = ["GET", "POST", "PATCH", "DELETE", "PUT", "OPTIONS", "HEAD"];

    private static readonly string[] Words =
    [
        "", " ", "a", "0", "-1", "null", "msg_", "acc_aaaaaaaaaaaaaaaaaaaaaaaaaa", "..", "../..", "%", "a/b", "ü☺", "\u0001", "'; DROP TABLE message; --", new string('x', 3000), "jane@example.org", "activate",
    ];

    private static readonly string[] Texts =
    [
        "", "a", "acme.example", "xn--a", "xn--", "ä.example", "a..b", ".", "-", "jane@example.org", "\"a b\"@example.org", "@", "a@b@c", "jane@[127.0.0.1]", "Jane <jane@example.org>", "2026-11-22T10:00:00Z",
        "9999-12-31T23:59:59.9999999Z", "0001-01-01T00:00:00+14:00", "2026-02-30T00:00:00Z", "https://example.org/", "http://[::1]:99999/", "file:///etc/passwd", "default", "mox", "1s 1s", "admin", "send",
        "message.delivered", "text/html; charset=\"", "a\r\nb", "\u2028", "\t", "☺", "\ud83d\ude00", "e\u0301", "<m@example.org>", "unique", "password", "domains", "expiresAt", "queueHours", "keepContentDays", new string('y', 5000),
    ];

    private static readonly string[] RawValues =
    [
        "null", "true", "false", "0", "-1", "1.5", "1e3", "1e400", "-0", "2147483648", "9007199254740993", "123456789012345678901234567890", "[]", "{}", "[[]]", "{\"a\":1}", "\"\\u0000\"", "\"\\ud800\"", "\"\\udc00\\ud800\"",
        "[null]", "[1,\"a\",{}]", "\"\\\\\\\"\"",
    ];

    private static readonly string?[] Types = ["application/json", "application/json; charset=utf-8", "application/json; charset=latin1", "application/problem+json", "text/plain", "multipart/form-data; boundary=x", "multipart/form-data", null];

    private static readonly string[] Keys = ["order-1", "order-2", "a b", "", new string('k', 300)];

    public FuzzedRequest Next()
    {
        var operation = operations[random.Next(operations.Count)];
        var asAdmin = random.Next(5) == 0;
        var method = random.Next(20) == 0 ? Pick(Methods) : operation.Method;
        var path = operation.PathWith((word, parameter) => Id(word, parameter, asAdmin)) + Query();
        var body = method is "POST" or "PATCH" or "PUT" ? Body(operation) : null;
        return new FuzzedRequest(
            method, path, Credentials(asAdmin), body, body is null ? null : random.Next(15) == 0 ? Pick(Types) : "application/json", random.Next(10) == 0 ? Pick(Keys) : null);
    }

    private string? Credentials(bool asAdmin) => random.Next(30) switch
    {
        0 => null,
        1 => "Bearer",
        2 => "Bearer " + Pick(["mox_wrong", "a b", new string('z', 2000), "mox_" + tenant[5..]]),
        3 => "Digest x",
        _ => "Bearer " + (asAdmin ? admin : tenant),
    };

    private string Id(string word, string parameter, bool asAdmin)
    {
        if (random.Next(4) == 0) return Pick(Words) is { Length: > 0 } text ? text : "x";
        if (!asAdmin) return acme.Of(word, parameter);
        if (disposable.TryGetValue(word, out var ids)) return Pick(ids);
        return word is "dkim-keys" ? acme.Of(word, parameter) : Pick(Words[2..]);
    }

    private string Query() => random.Next(4) switch
    {
        0 => "?" + string.Join('&', Enumerable.Range(0, random.Next(1, 4)).Select(_ => $"{Pick(["limit", "after", "before", "status", "recipient", "tag", "subject", "since", "until", "reason", "count", "%00"])}={Uri.EscapeDataString(Pick([.. Texts, .. Words, "1", "100"]))}")),
        _ => "",
    };

    private byte[]? Body(ApiOperation operation)
    {
        if (operation.Schema is not { } schema) return random.Next(5) == 0 ? "{}"u8.ToArray() : null;
        if (random.Next(40) == 0) return Encoding.UTF8.GetBytes($$"""{"a": "{{new string('x', 300_000)}}"}""");
        var body = random.Next(3) == 0 ? Made(operation, schema, 0) : Broken(operation, operation.Example!);
        var octets = Encoding.UTF8.GetBytes(body);
        for (var n = random.Next(8) == 0 ? random.Next(1, 4) : 0; n > 0 && octets.Length > 0; n--) octets[random.Next(octets.Length)] = (byte)random.Next(256);
        return octets;
    }

    // The example with a few of its values replaced, left out or doubled.
    private string Broken(ApiOperation operation, JsonNode example)
    {
        var members = example.AsObject().Select(p => (p.Key, Value: p.Value?.ToJsonString() ?? "null")).ToList();
        var names = operation.Schema!["properties"]!.AsObject().Select(p => p.Key).ToArray();
        for (var n = random.Next(3); n > 0; n--)
        {
            if (members.Count > 0 && random.Next(3) == 0) members.RemoveAt(random.Next(members.Count));
            else members.Add((random.Next(5) == 0 ? Pick(Words) : Pick(names), AnyValue()));
        }
        // Names must differ where the request is to be taken.
        if (random.Next(4) == 0) members = [.. members.DistinctBy(m => m.Key)];
        return "{" + string.Join(",", members.Select(m => $"{JsonValue.Create(m.Key)!.ToJsonString()}:{m.Value}")) + "}";
    }

    // A value that follows the schema for the most part.
    private string Made(ApiOperation operation, JsonObject schema, int depth)
    {
        if (depth > 4 || random.Next(12) == 0) return AnyValue();
        if (schema["enum"] is JsonArray words) return words[random.Next(words.Count)]!.ToJsonString();
        switch ((string?)schema["type"])
        {
            case "object" when schema["properties"] is JsonObject properties:
                return "{" + string.Join(",", properties.Where(_ => random.Next(2) == 0).Select(p => $"\"{p.Key}\":{Made(operation, operation.Resolve(p.Value!), depth + 1)}")) + "}";
            case "array":
                return "[" + string.Join(",", Enumerable.Range(0, random.Next(4)).Select(_ => Made(operation, operation.Resolve(schema["items"]!), depth + 1))) + "]";
            case "string":
                return JsonValue.Create(Pick(Texts))!.ToJsonString();
            case "integer" or "number":
                return Pick(["0", "1", "7", "100", "4000", "-5", "0.5"]);
            case "boolean":
                return random.Next(2) == 0 ? "true" : "false";
            default:
                return AnyValue();
        }
    }

    private string AnyValue() => random.Next(2) == 0 ? Pick(RawValues) : JsonValue.Create(Pick(Texts))!.ToJsonString();

    private T Pick<T>(T[] from) => from[random.Next(from.Length)];
}
