using MoxApi.OpenApi.Messages;

namespace MoxApi.OpenApi.Accounts;

/// <summary>A tenant: it owns domains, addresses, keys, messages and webhooks.</summary>
public sealed record Account
{
    /// <summary>The account's id in this API.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public required string Id { get; init; }

    /// <summary>The account's name, unique in the installation.</summary>
    /// <example>acme</example>
    public required string Name { get; init; }

    /// <summary>Whether the account may send.</summary>
    public required AccountStatus Status { get; init; }

    /// <summary>When an admin suspended it; absent while it is not suspended.</summary>
    /// <example>2026-11-23T10:00:00.123Z</example>
    public DateTimeOffset? SuspendedAt { get; init; }

    /// <summary>When it was paused by itself, because too much of its mail bounced or was complained about; absent while it is not paused.</summary>
    /// <example>2026-11-23T10:00:00.123Z</example>
    public DateTimeOffset? PausedAt { get; init; }

    /// <summary>Why it was paused.</summary>
    /// <example>6.2 % of the last 500 recipients bounced.</example>
    public string? PauseReason { get; init; }

    /// <summary>Whether it has a password, for Basic authentication with one of its addresses.</summary>
    /// <example>false</example>
    public required bool HasPassword { get; init; }

    /// <summary>The return path of sends that name none.</summary>
    public required ReturnPath ReturnPath { get; init; }

    /// <summary>Waits between delivery attempts: <c>default</c>, <c>mox</c>, or durations.</summary>
    /// <example>1m 5m 15m 1h 4h</example>
    public required string RetrySchedule { get; init; }

    /// <summary>How many hours a message may stay in the queue.</summary>
    /// <example>48</example>
    public required int QueueHours { get; init; }

    /// <summary>The share of bounces that pauses the account, in percent; absent: the installation's.</summary>
    /// <example>5</example>
    public double? PauseBouncePercent { get; init; }

    /// <summary>The share of complaints that pauses the account, in percent; absent: the installation's.</summary>
    /// <example>0.1</example>
    public double? PauseComplaintPercent { get; init; }

    /// <summary>How many days octets and conversations of finished messages are kept; absent: the installation's.</summary>
    /// <example>7</example>
    public int? KeepContentDays { get; init; }

    /// <summary>How many days finished messages and their events are kept; absent: the installation's.</summary>
    /// <example>30</example>
    public int? KeepMessageDays { get; init; }

    /// <summary>How many days finished webhook deliveries are kept; absent: the installation's.</summary>
    /// <example>7</example>
    public int? KeepWebhookDays { get; init; }

    /// <summary>When the account was made.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>
/// Whether an account may send. While it is <c>suspended</c> (by an admin) or <c>paused</c> (by itself, for bounces or complaints) its sends are
/// refused and what it has queued is held; it can still be read.
/// </summary>
public enum AccountStatus
{
    Active,
    Suspended,
    Paused,
}
