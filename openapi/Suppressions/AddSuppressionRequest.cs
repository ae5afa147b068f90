using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Suppressions;

/// <summary>An address not to send to any more.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AddSuppressionRequest
{
    /// <summary>The address, without a name.</summary>
    /// <example>jane@example.org</example>
    public required string Address { get; init; }

    /// <summary>What to note about it, at most 500 characters.</summary>
    /// <example>Asked by telephone</example>
    public string? Detail { get; init; }

    /// <summary>From when on the address may be sent to again. Left out, never.</summary>
    /// <example>2027-01-01T00:00:00Z</example>
    public DateTimeOffset? ExpiresAt { get; init; }
}
