using System.Text.Json.Nodes;

namespace MoxApi.Api.Swagger;

/// <summary>The document's examples of whole answers to what is asked most. Ids in them are made up.</summary>
internal static class AnswerExamples
{
    private const string Accepted = """
        {
          "id": "msg_nd6d6ufobktiwmfb53p4onpova",
          "messageId": "<m42@acme.example>",
          "acceptedAt": "2026-11-22T10:00:00.123Z",
          "recipients": [{"id": "rcp_3lgld2rosq52hccm2uejevsmua", "address": "jane@example.org", "status": "queued"}]
        }
        """;

    private const string Message = """
        {
          "recipients": [
            {
              "id": "rcp_3lgld2rosq52hccm2uejevsmua", "address": "jane@example.org", "kind": "to", "status": "delivered", "attempts": 1,
              "lastAttempt": {
                "number": 1, "at": "2026-11-22T10:00:00.201Z", "durationMs": 212, "outcome": "delivered",
                "remoteHost": "mx1.example.org", "remoteAddress": "192.0.2.10",
                "tls": {"version": "1.3", "cipher": "TLS_AES_256_GCM_SHA384", "verified": "pkix"},
                "smtpCode": 250, "enhancedCode": "2.0.0", "reply": "2.0.0 Ok: queued", "failureClass": "none",
                "conversation": [
                  {"step": "connect", "code": 220, "reply": "mx1.example.org ESMTP", "ms": 31, "address": "mx1.example.org [192.0.2.10]"},
                  {"step": "body", "code": 250, "reply": "2.0.0 Ok: queued", "ms": 84}
                ]
              }
            }
          ],
          "id": "msg_nd6d6ufobktiwmfb53p4onpova", "accountId": "acc_5rlv63vnmsjcb7xihvzt5awiau", "messageId": "<m42@acme.example>", "direction": "outgoing",
          "from": "Acme, Inc. <receipts@acme.example>", "subject": "Your receipt ☺", "size": 48213,
          "tags": ["receipt"], "metadata": {"orderId": "42"}, "acceptedAt": "2026-11-22T10:00:00.123Z"
        }
        """;

    private const string Webhook = """
        {
          "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
          "id": "whk_w7ntqa5zvymkvyh74xcw5jwsme", "url": "https://app.acme.example/hooks/mail",
          "events": ["message.delivered", "message.failed"], "description": "Order status", "format": "v1", "allowPrivate": false,
          "createdAt": "2026-11-22T10:00:00.123Z"
        }
        """;

    public static JsonNode? Answer(string? operation) => operation switch
    {
        "SendMessage" => JsonNode.Parse(Accepted),
        "SendMessageBatch" => new JsonObject
        {
            ["results"] = new JsonArray(
                new JsonObject { ["status"] = StatusCodes.Status202Accepted, ["message"] = JsonNode.Parse(Accepted) },
                new JsonObject { ["status"] = StatusCodes.Status422UnprocessableEntity, ["problem"] = Examples.Problem(StatusCodes.Status422UnprocessableEntity, operation) }),
        },
        "GetMessage" => JsonNode.Parse(Message),
        "CreateWebhook" => JsonNode.Parse(Webhook),
        _ => null,
    };
}
