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
