namespace MoxApi.OpenApi.Messages;

/// <summary>A message as a list shows it.</summary>
public record MessageSummary
{
    /// <summary>The message's id in this API.</summary>
    /// <example>msg_nd6d6ufobktiwmfb53p4onpova</example>
    public required string Id { get; init; }

    /// <summary>The account the message belongs to.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public required string AccountId { get; init; }

    /// <summary>The Message-ID header, with its angle brackets; empty where an incoming message has none.</summary>
    /// <example>&lt;m42@acme.example&gt;</example>
    public required string MessageId { get; init; }

    /// <summary>Whether the message was sent or received.</summary>
    public required MessageDirection Direction { get; init; }

    /// <summary>Who the message is from.</summary>
    /// <example>Acme, Inc. &lt;receipts@acme.example&gt;</example>
    public required string From { get; init; }

    /// <summary>The subject, decoded; empty where there is none.</summary>
    /// <example>Your receipt ☺</example>
    public required string Subject { get; init; }

    /// <summary>The size of the whole message in octets.</summary>
    /// <example>48213</example>
    public required long Size { get; init; }

    /// <summary>The tags given when it was sent.</summary>
    /// <example>["receipt"]</example>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The metadata given when it was sent.</summary>
    /// <example>{"orderId": "42"}</example>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>When the message was accepted.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset AcceptedAt { get; init; }

    /// <summary>When it is to be sent; absent where its sender gave no time.</summary>
    /// <example>2026-11-23T08:00:00.000Z</example>
    public DateTimeOffset? SendAt { get; init; }

    /// <summary>Present and true where a test key sent it: it never left.</summary>
    /// <example>true</example>
    public bool? Test { get; init; }
}

/// <summary>A message with what became of each recipient.</summary>
public sealed record MessageDetail : MessageSummary
{
    /// <summary>The recipients: those of <c>to</c>, then <c>cc</c>, then <c>bcc</c>.</summary>
    public required IReadOnlyList<MessageRecipient> Recipients { get; init; }
}

/// <summary>Which way a message goes.</summary>
public enum MessageDirection
{
    Outgoing,
    Incoming,
}
