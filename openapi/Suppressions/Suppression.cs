using MoxApi.OpenApi.Messages;

namespace MoxApi.OpenApi.Suppressions;

/// <summary>An address that the account does not send to any more, in all of its spellings: whatever the case, and whatever follows a <c>+</c>.</summary>
public sealed record Suppression
{
    /// <summary>The entry's id in this API.</summary>
    /// <example>sup_6w7n5jok2y4qzzieog42yb5xte</example>
    public required string Id { get; init; }

    /// <summary>The address as it was given or tried.</summary>
    /// <example>jane+news@example.org</example>
    public required string Address { get; init; }

    /// <summary>What all spellings of the address have in common, by which it is looked up.</summary>
    /// <example>jane@example.org</example>
    public required string BaseAddress { get; init; }

    /// <summary>Why the address is suppressed.</summary>
    public required SuppressionReason Reason { get; init; }

    /// <summary>The class of the failure that caused it; absent where none did.</summary>
    public FailureClass? FailureClass { get; init; }

    /// <summary>The server's words, or what was noted.</summary>
    /// <example>5.1.1 No such user</example>
    public string? Detail { get; init; }

    /// <summary>The recipient whose fate caused it; absent where none did.</summary>
    /// <example>rcp_3lgld2rosq52hccm2uejevsmua</example>
    public string? RecipientId { get; init; }

    /// <summary>Since when the address is suppressed.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>From when on the address is sent to again; absent where that is never.</summary>
    /// <example>2026-12-22T10:00:00.123Z</example>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>
/// Why an address is suppressed: <c>manual</c> (somebody added it), <c>bounce</c> (a delivery failed for a reason that lies with the address),
/// <c>repeated_failures</c> (three deliveries in a row failed), <c>complaint</c> or <c>unsubscribe</c> (by the recipient).
/// </summary>
public enum SuppressionReason
{
    Manual,
    Bounce,
    RepeatedFailures,
    Complaint,
    Unsubscribe,
}
