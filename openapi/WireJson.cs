using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Serialization;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Messages;
using MoxApi.OpenApi.Received;
using MoxApi.OpenApi.Suppressions;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.OpenApi;

/// <summary>How the contract's types are written in JSON: requests, answers and webhooks alike.</summary>
public static class WireJson
{
    /// <summary>
    /// camelCase names, numbers and enumerations strict, unknown fields refused in requests (and in them alone: answers may get more), times RFC 3339 in UTC with milliseconds, absent instead of
    /// null, non-ASCII text as it is. Read-only.
    /// </summary>
    public static JsonSerializerOptions Options { get; } = Make();

    private static JsonSerializerOptions Make()
    {
        var options = new JsonSerializerOptions();
        Apply(options);
        options.MakeReadOnly();
        return options;
    }

    /// <summary>Makes the options of a host the same. A chained context's own options would be ignored, so they are set here.</summary>
    public static void Apply(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, WireJsonContext.Default);
        options.PropertyNamingPolicy = JsonNamingPolicy.CamelCase;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
        options.AllowDuplicateProperties = false;
        options.DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull;
        options.Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping; // Never written into HTML; answers are application/json with nosniff.
        options.MaxDepth = 16;
        options.Converters.Add(new JsonStringEnumConverter(JsonNamingPolicy.SnakeCaseLower, allowIntegerValues: false));
        options.Converters.Add(new WireTime());
    }
}

[JsonSerializable(typeof(SendMessageRequest))]
[JsonSerializable(typeof(SendMessageResponse))]
[JsonSerializable(typeof(MessageDetail))]
[JsonSerializable(typeof(Page<MessageSummary>))]
[JsonSerializable(typeof(Page<Event>))]
[JsonSerializable(typeof(CreateWebhookRequest))]
[JsonSerializable(typeof(CreatedWebhook))]
[JsonSerializable(typeof(Page<Webhook>))]
[JsonSerializable(typeof(UpdateWebhookRequest))]
[JsonSerializable(typeof(RotateWebhookSecretRequest))]
[JsonSerializable(typeof(RotatedWebhookSecret))]
[JsonSerializable(typeof(ReplayWebhookRequest))]
[JsonSerializable(typeof(ReplayedWebhook))]
[JsonSerializable(typeof(WebhookDeliveryDetail))]
[JsonSerializable(typeof(Page<WebhookDelivery>))]
[JsonSerializable(typeof(Page<ReceivedMessage>))]
[JsonSerializable(typeof(AddSuppressionRequest))]
[JsonSerializable(typeof(Page<Suppression>))]
[JsonSerializable(typeof(Problem))]
internal sealed partial class WireJsonContext : JsonSerializerContext;
