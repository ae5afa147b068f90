using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Webhooks;

/// <summary>Which failed deliveries are to be posted again.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ReplayWebhookRequest
{
    /// <summary>Those made at this time or later.</summary>
    /// <example>2026-11-22T00:00:00Z</example>
    public required DateTimeOffset Since { get; init; }
}

/// <summary>What a replay queued.</summary>
public sealed record ReplayedWebhook
{
    /// <summary>How many deliveries are posted again.</summary>
    /// <example>42</example>
    public required int Count { get; init; }
}
