using MoxApi.OpenApi.Events;

namespace MoxApi.OpenApi.Webhooks;

/// <summary>An event on its way to a webhook, and what became of it.</summary>
public record WebhookDelivery
{
    /// <summary>The delivery's id in this API.</summary>
    /// <example>whd_et2pgnvjxyktsey6awqqcpdvoy</example>
    public required string Id { get; init; }

    /// <summary>The event's id, which is posted as <c>webhook-id</c>.</summary>
    /// <example>evt_54t2klhw2ixnud7qwpexnsteva</example>
    public required string EventId { get; init; }

    /// <summary>What happened; absent where the event was deleted since.</summary>
    public EventType? Type { get; init; }

    /// <summary>What became of it.</summary>
    public required WebhookDeliveryStatus Status { get; init; }

    /// <summary>The attempts made.</summary>
    /// <example>1</example>
    public required int Attempts { get; init; }

    /// <summary>When the event happened.</summary>
    /// <example>2026-11-22T10:00:01.456Z</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the last attempt began; absent where there was none.</summary>
    /// <example>2026-11-22T10:00:01.460Z</example>
    public DateTimeOffset? LastAttemptAt { get; init; }

    /// <summary>When the next attempt is due; absent where there is none.</summary>
    /// <example>2026-11-22T10:00:06.460Z</example>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>How long the last attempt took, in milliseconds.</summary>
    /// <example>87</example>
    public int? DurationMs { get; init; }

    /// <summary>The HTTP status of the last attempt's answer; absent where none came.</summary>
    /// <example>204</example>
    public int? ResponseStatus { get; init; }

    /// <summary>What went wrong at last; absent where nothing did.</summary>
    /// <example>The endpoint answered 500: database is down</example>
    public string? Error { get; init; }
}

/// <summary>What became of a webhook's delivery: <c>pending</c> while attempts follow, <c>delivered</c>, or <c>failed</c>, which can be replayed.</summary>
public enum WebhookDeliveryStatus
{
    Pending,
    Delivered,
    Failed,
}

/// <summary>A delivery with what was said at its last attempt.</summary>
public sealed record WebhookDeliveryDetail : WebhookDelivery
{
    /// <summary>What was posted; absent where nothing was yet.</summary>
    public WebhookDeliveryRequest? Request { get; init; }

    /// <summary>What was answered; absent where nothing was.</summary>
    public WebhookDeliveryResponse? Response { get; init; }
}

/// <summary>The request of a delivery's last attempt.</summary>
public sealed record WebhookDeliveryRequest
{
    /// <summary>The header fields.</summary>
    /// <example>{"Host": "app.acme.example", "Content-Type": "application/json", "webhook-id": "evt_54t2klhw2ixnud7qwpexnsteva"}</example>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>The body; absent where the event was deleted since.</summary>
    /// <example>{"type":"message.delivered","timestamp":"2026-11-22T10:00:01.456Z","data":{}}</example>
    public string? Body { get; init; }
}

/// <summary>The answer of a delivery's last attempt.</summary>
public sealed record WebhookDeliveryResponse
{
    /// <summary>The HTTP status.</summary>
    /// <example>500</example>
    public required int Status { get; init; }

    /// <summary>The header fields.</summary>
    /// <example>{"Content-Type": "text/plain"}</example>
    public required IReadOnlyDictionary<string, string> Headers { get; init; }

    /// <summary>The body as it came, not unpacked; absent where it is no UTF-8.</summary>
    /// <example>database is down</example>
    public string? Body { get; init; }

    /// <summary>The body in base64, where it is no UTF-8.</summary>
    /// <example>H4sIAAAAAAAAA0vOzy1JLQYA</example>
    public string? BodyBase64 { get; init; }

    /// <summary>Whether the body had 64 KiB or more: what follows was not kept.</summary>
    /// <example>false</example>
    public required bool Truncated { get; init; }
}
