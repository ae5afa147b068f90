using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Recipients;

/// <summary>Whose data is to be erased.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record EraseRecipientRequest
{
    /// <summary>The address, without a name. Other spellings that reach the same person are erased too: upper and lower case, and what follows a <c>+</c>.</summary>
    /// <example>jane@example.org</example>
    public required string Address { get; init; }

    /// <summary>
    /// Whether the address stays on the suppression list if it is there, with its reason and times, but without details and the message that led to it: so an objection is still honoured. Left out, it does.
    /// </summary>
    /// <example>true</example>
    public bool? KeepSuppression { get; init; }

    /// <summary>The account whose records are meant. Left out, your own; another takes the scope <c>admin</c>.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public string? AccountId { get; init; }
}

/// <summary>What was erased.</summary>
public sealed record RecipientErasure
{
    /// <summary>Deliveries to the address that were unfinished and are canceled.</summary>
    /// <example>0</example>
    public required int Canceled { get; init; }

    /// <summary>Recipients of messages whose address was replaced.</summary>
    /// <example>3</example>
    public required int Recipients { get; init; }

    /// <summary>Messages whose octets, subject, tags and metadata were deleted.</summary>
    /// <example>3</example>
    public required int Messages { get; init; }

    /// <summary>Webhook deliveries whose stored requests and answers were deleted.</summary>
    /// <example>6</example>
    public required int WebhookDeliveries { get; init; }

    /// <summary>Answers kept for an Idempotency-Key in which the address was replaced.</summary>
    /// <example>0</example>
    public required int IdempotentAnswers { get; init; }

    /// <summary>Entries removed from the suppression list.</summary>
    /// <example>0</example>
    public required int Suppressions { get; init; }

    /// <summary>Messages that are just being delivered, to the address or to others: nothing of theirs was erased. Ask again when they are finished.</summary>
    /// <example>0</example>
    public required int Unfinished { get; init; }
}
