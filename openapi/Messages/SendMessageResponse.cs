namespace MoxApi.OpenApi.Messages;

/// <summary>A message that was accepted: it is stored, and will be delivered or reported as failed.</summary>
public sealed record SendMessageResponse
{
    /// <summary>The message's id in this API.</summary>
    /// <example>msg_nd6d6ufobktiwmfb53p4onpova</example>
    public required string Id { get; init; }

    /// <summary>The Message-ID header, with its angle brackets.</summary>
    /// <example>&lt;m42@acme.example&gt;</example>
    public required string MessageId { get; init; }

    /// <summary>When the message was accepted.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset AcceptedAt { get; init; }

    /// <summary>The recipients: those of <c>to</c>, then <c>cc</c>, then <c>bcc</c>, each address once.</summary>
    public required IReadOnlyList<AcceptedRecipient> Recipients { get; init; }
}

/// <summary>What became of a recipient at acceptance.</summary>
public sealed record AcceptedRecipient
{
    /// <summary>The recipient's id in this API.</summary>
    /// <example>rcp_3lgld2rosq52hccm2uejevsmua</example>
    public required string Id { get; init; }

    /// <summary>The address, without a name.</summary>
    /// <example>jane@example.org</example>
    public required string Address { get; init; }

    /// <summary>The recipient's state.</summary>
    public required RecipientStatus Status { get; init; }
}
