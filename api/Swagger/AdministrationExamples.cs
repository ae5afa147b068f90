using System.Text.Json.Nodes;

namespace MoxApi.Api.Swagger;

/// <summary>Examples of what admins ask for. Ids in them are made up.</summary>
internal static class AdministrationExamples
{
    public static JsonNode? Request(string? operation) => Text(operation) is { } text ? JsonNode.Parse(text) : null;

    private static string? Text(string? operation) => operation switch
    {
        "CreateAccount" => """{"name": "shop", "retrySchedule": "1m 5m 15m 1h 4h", "queueHours": 24, "keepContentDays": 3}""",
        "ChangeAccount" => """{"queueHours": 48, "pauseBouncePercent": 8, "reset": ["keepContentDays"]}""",
        "AddAddress" => """{"address": "orders@acme.example", "displayName": "Acme, Inc."}""",
        "ChangeAddress" => """{"displayName": "Acme Receipts"}""",
        "CreateDomain" => """{"name": "shop.example"}""",
        "ChangeDomain" => """{"returnPathDomain": "returns.acme.example"}""",
        "CreateDkimKeys" => """{}""",
        "CreateApiKey" => """{"name": "shop", "scopes": ["send", "read"]}""",
        "ChangeApiKey" => """{"scopes": ["send"], "reset": ["expiresAt"]}""",
        "EraseRecipient" => """{"address": "jane@example.org"}""",
        _ => null,
    };
}
