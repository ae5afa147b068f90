using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Messages;

/// <summary>Another time for a message that has not been sent yet.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record RescheduleMessageRequest
{
    /// <summary>When to send it, RFC 3339 with an offset, at most 60 days after it was accepted. A past time sends it at once.</summary>
    /// <example>2026-11-24T08:00:00Z</example>
    public required DateTimeOffset SendAt { get; init; }
}
