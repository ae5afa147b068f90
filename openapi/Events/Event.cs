using MoxApi.OpenApi.Messages;

namespace MoxApi.OpenApi.Events;

/// <summary>One thing that happened, to one recipient where it is about a message. Lists and webhooks give the same object.</summary>
public sealed record Event
{
    /// <summary>What happened.</summary>
    public required EventType Type { get; init; }

    /// <summary>When it happened.</summary>
    /// <example>2026-11-22T10:00:01.456Z</example>
    public required DateTimeOffset Timestamp { get; init; }

    /// <summary>What it happened to.</summary>
    public required EventData Data { get; init; }
}

/// <summary>What an event is about.</summary>
public sealed record EventData
{
    /// <summary>The event's id, the same in <c>webhook-id</c> and at every retry.</summary>
    /// <example>evt_54t2klhw2ixnud7qwpexnsteva</example>
    public required string EventId { get; init; }

    /// <summary>Counts the events of one recipient from 1; absent where there is no recipient.</summary>
    /// <example>2</example>
    public int? Sequence { get; init; }

    /// <summary>The account it happened in.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public required string AccountId { get; init; }

    /// <summary>The message; absent in events that are about none.</summary>
    public EventMessage? Message { get; init; }

    /// <summary>The recipient; absent in events that are about none.</summary>
    public EventRecipient? Recipient { get; init; }

    /// <summary>The attempt that made the change; absent where none did.</summary>
    public EventAttempt? Attempt { get; init; }

    /// <summary>The webhook; absent in events that are about none.</summary>
    public EventWebhook? Webhook { get; init; }

    /// <summary>What became of the account; absent in events that are about something within it.</summary>
    public EventAccount? Account { get; init; }
}

/// <summary>Why an account was paused. It may send again when an admin lets it go on.</summary>
public sealed record EventAccount
{
    /// <summary>The reason, as a sentence.</summary>
    /// <example>Of the 400 recipients of the last 24 hours 24 bounced, for their addresses are of no use; the limit is 5 %.</example>
    public required string Reason { get; init; }

    /// <summary>The recipients whose delivery ended in the time that is looked at.</summary>
    /// <example>400</example>
    public required long Finished { get; init; }

    /// <summary>Those of them that bounced, for their addresses are of no use.</summary>
    /// <example>24</example>
    public required long Bounced { get; init; }

    /// <summary>Those who called the message spam in that time.</summary>
    /// <example>0</example>
    public required long Complained { get; init; }

    /// <summary>The limit that was reached, in percent of the recipients.</summary>
    /// <example>5</example>
    public required double LimitPercent { get; init; }
}

/// <summary>The webhook of an event.</summary>
public sealed record EventWebhook
{
    /// <summary>The webhook's id in this API.</summary>
    /// <example>whk_w7ntqa5zvymkvyh74xcw5jwsme</example>
    public required string Id { get; init; }

    /// <summary>Where its events were posted when it happened, up to the host: what follows may be secret.</summary>
    /// <example>https://app.acme.example</example>
    public required string Url { get; init; }

    /// <summary>Why it was disabled; absent in a test.</summary>
    /// <example>No call has succeeded for four days.</example>
    public string? Reason { get; init; }
}

/// <summary>The message of an event. Of a message that was deleted since, only the id is told; texts are empty then.</summary>
public sealed record EventMessage
{
    /// <summary>The message's id in this API.</summary>
    /// <example>msg_nd6d6ufobktiwmfb53p4onpova</example>
    public required string Id { get; init; }

    /// <summary>The Message-ID header, with its angle brackets; empty where an incoming message has none.</summary>
    /// <example>&lt;m42@acme.example&gt;</example>
    public required string MessageId { get; init; }

    /// <summary>The subject, decoded; empty where there is none.</summary>
    /// <example>Your receipt ☺</example>
    public required string Subject { get; init; }

    /// <summary>The tags given when it was sent.</summary>
    /// <example>["receipt"]</example>
    public required IReadOnlyList<string> Tags { get; init; }

    /// <summary>The metadata given when it was sent.</summary>
    /// <example>{"orderId": "42"}</example>
    public required IReadOnlyDictionary<string, string> Metadata { get; init; }

    /// <summary>Present and true where a test key sent it: nothing of this happened to a real recipient.</summary>
    /// <example>true</example>
    public bool? Test { get; init; }
}

/// <summary>The recipient of an event.</summary>
public sealed record EventRecipient
{
    /// <summary>The recipient's id in this API.</summary>
    /// <example>rcp_3lgld2rosq52hccm2uejevsmua</example>
    public required string Id { get; init; }

    /// <summary>The address, without a name.</summary>
    /// <example>jane@example.org</example>
    public required string Address { get; init; }

    /// <summary>The recipient's state after the event.</summary>
    public required RecipientStatus Status { get; init; }
}

/// <summary>The attempt that made a change, in short; the whole of it is in the message's detail.</summary>
public sealed record EventAttempt
{
    /// <summary>Counts a recipient's attempts from 1.</summary>
    /// <example>1</example>
    public required int Number { get; init; }

    /// <summary>The deciding reply's code; absent when no server replied.</summary>
    /// <example>250</example>
    public int? SmtpCode { get; init; }

    /// <summary>The enhanced status code (RFC 3463) of the reply, or our own where no server gave one.</summary>
    /// <example>2.0.0</example>
    public string? EnhancedCode { get; init; }

    /// <summary>The deciding reply's text, or what went wrong before a server replied.</summary>
    /// <example>2.0.0 Ok: queued</example>
    public required string Reply { get; init; }

    /// <summary>Why the attempt failed.</summary>
    public required FailureClass FailureClass { get; init; }

    /// <summary>The name of the mail server; absent when none was reached.</summary>
    /// <example>mx1.example.org</example>
    public string? RemoteHost { get; init; }
}
