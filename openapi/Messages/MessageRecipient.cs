namespace MoxApi.OpenApi.Messages;

/// <summary>One recipient of a message: the unit of delivery and of events.</summary>
public sealed record MessageRecipient
{
    /// <summary>The recipient's id in this API.</summary>
    /// <example>rcp_3lgld2rosq52hccm2uejevsmua</example>
    public required string Id { get; init; }

    /// <summary>The address, without a name.</summary>
    /// <example>jane@example.org</example>
    public required string Address { get; init; }

    /// <summary>The field that named the recipient.</summary>
    public required RecipientKind Kind { get; init; }

    /// <summary>The recipient's state.</summary>
    public required RecipientStatus Status { get; init; }

    /// <summary>How many delivery attempts were made.</summary>
    /// <example>1</example>
    public required int Attempts { get; init; }

    /// <summary>When the next attempt is due; absent when none is to come.</summary>
    /// <example>2026-11-22T10:01:00.000Z</example>
    public DateTimeOffset? NextAttemptAt { get; init; }

    /// <summary>The latest attempt; absent before the first.</summary>
    public DeliveryAttempt? LastAttempt { get; init; }
}

/// <summary>The field that named a recipient.</summary>
public enum RecipientKind
{
    To,
    Cc,
    Bcc,
}

/// <summary>
/// What became of a recipient. <c>scheduled</c>, <c>held</c>, <c>queued</c>, <c>delivering</c> and <c>delayed</c> change again;
/// <c>delivered</c> (the recipient's server took the message), <c>failed</c>, <c>suppressed</c> (not tried: the address is on the suppression
/// list), <c>canceled</c> and <c>quarantined</c> (set aside for an operator) are final.
/// </summary>
public enum RecipientStatus
{
    Scheduled,
    Held,
    Queued,
    Delivering,
    Delayed,
    Delivered,
    Failed,
    Suppressed,
    Canceled,
    Quarantined,
}
