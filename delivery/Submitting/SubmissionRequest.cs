using System.Text.Json.Serialization;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Submitting;

/// <summary>A message that somebody with the right to send hands in. Every way in makes one of these.</summary>
public sealed record SubmissionRequest
{
    /// <summary>Who sends.</summary>
    public required long AccountId { get; init; }

    /// <summary>The author; the account's first address unless given.</summary>
    public Mailbox? From { get; init; }

    /// <summary>What the message is made of, once the author is known.</summary>
    public required Func<Mailbox, MessageDraft> Draft { get; init; }

    /// <summary>One to a thousand, each address once.</summary>
    public required IReadOnlyList<(RecipientKind Kind, MailAddress Address)> Recipients { get; init; }

    /// <summary>The subject as people read it, for lists.</summary>
    public required string Subject { get; init; }

    /// <summary>Labels, for lists and statistics.</summary>
    public IReadOnlyList<string> Tags { get; init; } = [];

    /// <summary>A flat JSON object of strings, echoed in events.</summary>
    public string Metadata { get; init; } = "{}";

    /// <summary>What the message asks of the transport.</summary>
    public RequireTls RequireTls { get; init; }

    /// <summary>The reverse-path; as the account is set unless given.</summary>
    public ReturnPathMode? ReturnPath { get; init; }

    /// <summary>When to send; at once where absent or past.</summary>
    public DateTimeOffset? SendAt { get; init; }

    /// <summary>Whether it is a test: it is accepted and shown as delivered, and never leaves.</summary>
    public bool IsTest { get; init; }

    /// <summary>The only domains that may be sent from, by id; all of the account's where absent.</summary>
    public IReadOnlyCollection<long>? Domains { get; init; }

    /// <summary>The sender's name for this send, so that it may be handed in again; or none.</summary>
    public Idempotency? Idempotency { get; init; }
}

/// <summary>What makes a send the same as another.</summary>
/// <param name="Key">The sender's name for it, 1 to 255 printable ASCII characters.</param>
/// <param name="Fingerprint">A digest of all that was asked for.</param>
public sealed record Idempotency(string Key, byte[] Fingerprint);

/// <summary>What was committed.</summary>
/// <param name="MessageId">The message's stored id.</param>
/// <param name="MessageIdHeader">Its Message-ID with angle brackets.</param>
/// <param name="AcceptedAt">When.</param>
/// <param name="Recipients">Its recipients, in the order of the request.</param>
public sealed record SubmissionReceipt(long MessageId, string MessageIdHeader, DateTimeOffset AcceptedAt, IReadOnlyList<ReceiptRecipient> Recipients)
{
    /// <summary>Whether it is that of an earlier send with the same Idempotency-Key.</summary>
    [JsonIgnore]
    public bool IsRepeated { get; init; }
}

/// <summary>A recipient as it was accepted.</summary>
public sealed record ReceiptRecipient(long Id, string Address, RecipientStatus Status);

/// <summary>The Idempotency-Key was used for something else.</summary>
public sealed class IdempotencyMismatchException() : Exception("The Idempotency-Key was used with another request within the last 24 hours.");

/// <summary>A send with this Idempotency-Key is being committed just now.</summary>
public sealed class IdempotencyInProgressException() : Exception("A request with this Idempotency-Key is still running.");

/// <summary>The account may not send for now.</summary>
public sealed class SenderStoppedException(SenderStop stop) : Exception(stop switch
{
    SenderStop.AccountSuspended => "The account is suspended.",
    SenderStop.AccountPaused => "The account is paused: too much of its mail bounced or was complained about.",
    _ => "The domain is suspended.",
})
{
    /// <summary>Why.</summary>
    public SenderStop Stop { get; } = stop;
}

/// <summary>The account may not send from this address.</summary>
public sealed class SenderNotAllowedException(string message) : Exception(message);
