using System.Text.Json.Nodes;
using Microsoft.AspNetCore.WebUtilities;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Swagger;

/// <summary>The document's examples of whole bodies. Those of requests work as they are in the local sandbox.</summary>
internal static class Examples
{
    public static JsonNode? Request(string? operation) => operation switch
    {
        "SendMessage" => JsonNode.Parse(
            """
            {
              "to": ["Jane Döe <jane@example.org>"],
              "subject": "Your receipt ☺",
              "text": "Thank you for your order.",
              "html": "<p>Thank you for your <b>order</b>.</p>",
              "attachments": [{"filename": "receipt.txt", "contentType": "text/plain", "content": "VG90YWw6IDQyCg=="}],
              "headers": [{"name": "X-Order", "value": "42"}],
              "tags": ["receipt"],
              "metadata": {"orderId": "42"}
            }
            """),
        "SendMessageBatch" => JsonNode.Parse(
            """
            {
              "messages": [
                {"to": ["jane@example.org"], "subject": "Your receipt", "text": "Order 42."},
                {"to": ["sam@example.net"], "subject": "Your receipt", "text": "Order 43."}
              ]
            }
            """),
        "RescheduleMessage" => JsonNode.Parse("""{"sendAt": "2026-11-24T08:00:00Z"}"""),
        "CreateWebhook" => JsonNode.Parse(
            """
            {"url": "https://app.acme.example/hooks/mail", "events": ["message.delivered", "message.failed"], "description": "Order status"}
            """),
        "AddSuppression" => JsonNode.Parse("""{"address": "jane@example.org", "detail": "Asked by telephone"}"""),
        "UpdateWebhook" => JsonNode.Parse("""{"events": ["message.delivered", "message.failed", "message.delayed"], "disabled": false}"""),
        "RotateWebhookSecret" => JsonNode.Parse("""{"overlapHours": 24}"""),
        "ReplayWebhook" => JsonNode.Parse("""{"since": "2026-11-22T00:00:00Z"}"""),
        _ => AdministrationExamples.Request(operation),
    };

    public static JsonNode Problem(int status, string? operation)
    {
        var problem = new JsonObject
        {
            ["type"] = "about:blank",
            ["title"] = ReasonPhrases.GetReasonPhrase(status),
            ["status"] = status,
            ["code"] = Code(status, operation),
            ["requestId"] = "0HNH2B7Q6QK3D:00000001",
        };
        if (status == StatusCodes.Status422UnprocessableEntity)
        {
            problem["title"] = "The request has 1 fault.";
            problem["errors"] = new JsonArray(new JsonObject
            {
                ["pointer"] = "/to/0",
                ["code"] = FaultCodes.InvalidAddress,
                ["detail"] = "An address needs a domain after the @.",
            });
        }
        return problem;
    }

    private static string Code(int status, string? operation) => status switch
    {
        StatusCodes.Status400BadRequest => operation?.StartsWith("List", StringComparison.Ordinal) == true ? ErrorCodes.BadRequest : ErrorCodes.InvalidJson,
        StatusCodes.Status401Unauthorized => ErrorCodes.Unauthorized,
        StatusCodes.Status403Forbidden => ErrorCodes.MissingScope,
        StatusCodes.Status404NotFound => ErrorCodes.NotFound,
        StatusCodes.Status409Conflict => operation switch
        {
            "SendMessage" => ErrorCodes.IdempotencyInProgress,
            "CancelMessage" or "RescheduleMessage" => ErrorCodes.NotCancelable,
            "ReplayWebhook" or "ReplayWebhookDelivery" => ErrorCodes.WebhookDisabled,
            "CreateAccount" or "ChangeAccount" or "AddAddress" or "CreateDomain" => ErrorCodes.AlreadyExists,
            _ => ErrorCodes.Conflict,
        },
        StatusCodes.Status410Gone => ErrorCodes.ContentDeleted,
        StatusCodes.Status413PayloadTooLarge => ErrorCodes.TooLarge,
        StatusCodes.Status415UnsupportedMediaType => ErrorCodes.UnsupportedMediaType,
        StatusCodes.Status422UnprocessableEntity => ErrorCodes.InvalidRequest,
        StatusCodes.Status429TooManyRequests => ErrorCodes.RateLimited,
        _ => ErrorCodes.Unavailable,
    };
}
