using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Posting;
using StoredDelivery = MoxApi.Migrations.Webhooks.WebhookDelivery;

namespace MoxApi.Webhooks.Endpoints;

/// <summary>What was said at a delivery's last attempt, as it is shown.</summary>
internal static class SaidWords
{
    // A character of UTF-8 that was cut has up to three octets left.
    private const int LongestRest = 3;

    /// <summary>Stored header fields.</summary>
    public static IReadOnlyDictionary<string, string> Headers(string stored) => JsonSerializer.Deserialize<Dictionary<string, string>>(stored)!;

    /// <summary>The answer of a delivery that got one.</summary>
    public static WebhookDeliveryResponse Response(StoredDelivery delivery)
    {
        var body = delivery.ResponseBody ?? [];
        var truncated = body.Length >= AnswerBody.MostOctets;
        var text = Text(body, truncated);
        return new()
        {
            Status = delivery.ResponseStatus!.Value,
            Headers = delivery.ResponseHeaders is { } headers ? Headers(headers) : new Dictionary<string, string>(),
            Body = text,
            BodyBase64 = text is null ? Convert.ToBase64String(body) : null,
            Truncated = truncated,
        };
    }

    private static string? Text(byte[] body, bool truncated)
    {
        for (var cut = 0; cut <= (truncated ? LongestRest : 0); cut++)
        {
            if (Utf8.IsValid(body.AsSpan(..^cut))) return Encoding.UTF8.GetString(body, 0, body.Length - cut);
        }
        return null;
    }
}
