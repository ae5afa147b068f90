using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Webhooks;

/// <summary>How a webhook's secret is to be replaced.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RotateWebhookSecretRequest
{
    /// <summary>For how many hours the present secret signs beside the new one, 0 to 168. Left out, 24.</summary>
    /// <example>24</example>
    public int? OverlapHours { get; init; }
}

/// <summary>A webhook's new secret.</summary>
public sealed record RotatedWebhookSecret
{
    /// <summary>The key of the signatures (Standard Webhooks). It is shown this once.</summary>
    /// <example>whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw</example>
    public required string Secret { get; init; }

    /// <summary>Until when the secret before it signs too; absent where it ended at once.</summary>
    /// <example>2026-11-24T10:00:00.123Z</example>
    public DateTimeOffset? PreviousSecretUntil { get; init; }
}
