namespace MoxApi.OpenApi.Received;

/// <summary>A message that arrived in one of the account's mailboxes.</summary>
public sealed record ReceivedMessage
{
    /// <summary>The message's id in this API.</summary>
    /// <example>msg_k6dbv64vtrxiij4cfdzh6mm26u</example>
    public required string Id { get; init; }

    /// <summary>The Message-ID header, with its angle brackets; empty where the message has none.</summary>
    /// <example>&lt;m42@acme.example&gt;</example>
    public required string MessageId { get; init; }

    /// <summary>Who the message says it is from; empty where it does not say.</summary>
    /// <example>Acme, Inc. &lt;receipts@acme.example&gt;</example>
    public required string From { get; init; }

    /// <summary>The address it was delivered to (RCPT TO).</summary>
    /// <example>jane@example.org</example>
    public required string ForwardPath { get; init; }

    /// <summary>The address it was sent by (MAIL FROM); empty for a report.</summary>
    /// <example>receipts@acme.example</example>
    public required string ReversePath { get; init; }

    /// <summary>The subject, decoded; empty where there is none.</summary>
    /// <example>Your receipt ☺</example>
    public required string Subject { get; init; }

    /// <summary>When it arrived.</summary>
    /// <example>2026-11-22T10:00:00.456Z</example>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>The size of the whole message in octets.</summary>
    /// <example>48611</example>
    public required long Size { get; init; }

    /// <summary>The mailbox it is in.</summary>
    /// <example>Inbox</example>
    public required string Mailbox { get; init; }
}
