using MoxApi.OpenApi.Events;

namespace MoxApi.OpenApi.Webhooks;

/// <summary>Where events are posted.</summary>
public record Webhook
{
    /// <summary>The webhook's id in this API.</summary>
    /// <example>whk_w7ntqa5zvymkvyh74xcw5jwsme</example>
    public required string Id { get; init; }

    /// <summary>Where events are posted.</summary>
    /// <example>https://app.acme.example/hooks/mail</example>
    public required string Url { get; init; }

    /// <summary>The events wanted; empty means all but <c>message.accepted</c>.</summary>
    /// <example>["message.delivered", "message.failed"]</example>
    public required IReadOnlyList<EventType> Events { get; init; }

    /// <summary>What the webhook is for; absent where nothing was said.</summary>
    /// <example>Order status</example>
    public string? Description { get; init; }

    /// <summary>The form of what is posted.</summary>
    public required WebhookFormat Format { get; init; }

    /// <summary>Whether addresses that are not public may be posted to.</summary>
    /// <example>false</example>
    public required bool AllowPrivate { get; init; }

    /// <summary>When the webhook was made.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>When the webhook was disabled; absent while it is in use.</summary>
    /// <example>2026-11-23T10:00:00.123Z</example>
    public DateTimeOffset? DisabledAt { get; init; }

    /// <summary>Why the webhook was disabled; absent while it is in use.</summary>
    /// <example>No call has succeeded for four days.</example>
    public string? DisabledReason { get; init; }

    /// <summary>Since when no call has succeeded; absent while calls do. After four days the webhook is disabled.</summary>
    /// <example>2026-11-23T08:00:00.123Z</example>
    public DateTimeOffset? FailingSince { get; init; }

    /// <summary>Until when nothing is posted, because the webhook asked for time; absent while it did not.</summary>
    /// <example>2026-11-23T10:05:00.123Z</example>
    public DateTimeOffset? PausedUntil { get; init; }

    /// <summary>Until when the secret before the last rotation signs too; absent where it does not.</summary>
    /// <example>2026-11-24T10:00:00.123Z</example>
    public DateTimeOffset? PreviousSecretUntil { get; init; }
}

/// <summary>A webhook that was just made, with its secret.</summary>
public sealed record CreatedWebhook : Webhook
{
    /// <summary>The key of the signatures (Standard Webhooks). It is shown this once.</summary>
    /// <example>whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw</example>
    public required string Secret { get; init; }
}
