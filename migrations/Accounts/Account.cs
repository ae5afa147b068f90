using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Accounts;

/// <summary>A tenant: it owns domains, addresses, keys, messages and webhooks.</summary>
public sealed class Account
{
    public long Id { get; set; }

    /// <summary>Unique; 1 to 64 characters.</summary>
    public required string Name { get; set; }

    /// <summary>The Argon2id verifier of the account's password in PHC form; absent where it has none.</summary>
    public string? PasswordHash { get; set; }

    /// <summary>The return path of sends over HTTP that name none.</summary>
    public ReturnPathMode ReturnPath { get; set; } = ReturnPathMode.Unique;

    /// <summary>Waits between delivery attempts: <c>default</c>, <c>mox</c>, or durations such as <c>1m 5m 1h</c>.</summary>
    public string RetrySchedule { get; set; } = "default";

    /// <summary>How long a message may stay in the queue, in seconds. 48 hours by default.</summary>
    public int QueueLifeSeconds { get; set; } = 48 * 3600;

    /// <summary>Whether a key of this account may send from any address, as in the local sandbox.</summary>
    public bool MaySendAsAnyone { get; set; }

    /// <summary>When an admin suspended it: it may not send, and what it has queued is held. Absent while it may.</summary>
    public DateTimeOffset? SuspendedAt { get; set; }

    /// <summary>When it was paused by itself because too much of its mail bounced or was complained about; as with a suspension. Absent while it may send.</summary>
    public DateTimeOffset? PausedAt { get; set; }

    /// <summary>Why it was paused, as a sentence.</summary>
    public string? PauseReason { get; set; }

    /// <summary>The share of bounces that pauses it, in percent; the installation's where absent, 100 or more for never.</summary>
    public double? PauseBouncePercent { get; set; }

    /// <summary>The share of complaints that pauses it, in percent; the installation's where absent, 100 or more for never.</summary>
    public double? PauseComplaintPercent { get; set; }

    /// <summary>How many days octets and conversations of finished messages are kept; the installation's where absent.</summary>
    public int? KeepContentDays { get; set; }

    /// <summary>How many days finished messages and their events are kept; the installation's where absent.</summary>
    public int? KeepMessageDays { get; set; }

    /// <summary>How many days finished webhook deliveries are kept; the installation's where absent.</summary>
    public int? KeepWebhookDays { get; set; }

    /// <summary>When it was deleted: nobody acts for it any more, and its data goes away in pieces, the row last.</summary>
    public DateTimeOffset? DeletedAt { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

/// <summary>What a remote server sees as reverse-path.</summary>
public enum ReturnPathMode : short
{
    /// <summary>An unguessable address of its own per recipient, so that a bounce names its message.</summary>
    Unique = 0,

    /// <summary>The address of From.</summary>
    Sender = 1,
}

internal sealed class AccountConfiguration : IEntityTypeConfiguration<Account>
{
    public void Configure(EntityTypeBuilder<Account> builder) => builder.HasIndex(a => a.Name).IsUnique();
}
