using MoxApi.OpenApi.Messages;

namespace MoxApi.OpenApi.Accounts;

/// <summary>What can be set of an account, when it is made and later.</summary>
public abstract record AccountSettings
{
    /// <summary>A password of 8 to 256 characters, for Basic authentication with one of the account's addresses. It is stored as a hash.</summary>
    /// <example>correct horse battery staple</example>
    public string? Password { get; init; }

    /// <summary>The return path of sends that name none: <c>unique</c>, an address of its own per recipient, or <c>sender</c>, the address of From.</summary>
    public ReturnPath? ReturnPath { get; init; }

    /// <summary>Waits between delivery attempts: <c>default</c>, <c>mox</c>, or up to 50 durations of 1 second to 7 days, such as <c>1m 5m 1h</c>.</summary>
    /// <example>1m 5m 15m 1h 4h</example>
    public string? RetrySchedule { get; init; }

    /// <summary>How many hours a message may stay in the queue, 1 to 240.</summary>
    /// <example>48</example>
    public int? QueueHours { get; init; }

    /// <summary>The share of bounces that pauses the account, in percent, above 0; 100 for never.</summary>
    /// <example>5</example>
    public double? PauseBouncePercent { get; init; }

    /// <summary>The share of complaints that pauses the account, in percent, above 0; 100 for never.</summary>
    /// <example>0.1</example>
    public double? PauseComplaintPercent { get; init; }

    /// <summary>How many days octets and conversations of finished messages are kept, 0 to 3650.</summary>
    /// <example>7</example>
    public int? KeepContentDays { get; init; }

    /// <summary>How many days finished messages and their events are kept, 1 to 3650.</summary>
    /// <example>30</example>
    public int? KeepMessageDays { get; init; }

    /// <summary>How many days finished webhook deliveries are kept, 0 to 3650.</summary>
    /// <example>7</example>
    public int? KeepWebhookDays { get; init; }
}
