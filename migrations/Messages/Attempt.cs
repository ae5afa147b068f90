using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>One delivery attempt for one recipient, with its whole conversation. Insert only.</summary>
public sealed class Attempt
{
    public long Id { get; set; }
    public long MessageId { get; set; }
    public long RecipientId { get; set; }

    /// <summary>From 1.</summary>
    public int Number { get; set; }

    public DateTimeOffset At { get; set; }
    public int DurationMs { get; set; }
    public AttemptOutcome Outcome { get; set; }
    public string? RemoteHost { get; set; }
    public string? RemoteAddress { get; set; }

    /// <summary><c>1.2</c> or <c>1.3</c>; absent on a connection in clear.</summary>
    public string? TlsVersion { get; set; }

    public string? TlsCipher { get; set; }

    /// <summary><c>pkix</c> or <c>none</c>.</summary>
    public string? TlsVerified { get; set; }

    /// <summary>The deciding reply's code; 0 where no server replied.</summary>
    public int SmtpCode { get; set; }

    public string? EnhancedCode { get; set; }

    /// <summary>The deciding reply's text, or what went wrong here.</summary>
    public required string Reply { get; set; }

    public FailureClass FailureClass { get; set; }

    /// <summary>A JSON array of <c>{step, code, reply, ms}</c>.</summary>
    public required string Conversation { get; set; }
}

/// <summary>How an attempt ended.</summary>
public enum AttemptOutcome : short
{
    Delivered = 0,
    Delayed = 1,
    Failed = 2,

    /// <summary>The node died with the recipient in its hands: the message may have been delivered.</summary>
    Interrupted = 3,
}

/// <summary>Why an attempt failed, in classes that stay the same whatever a remote server's wording is.</summary>
public enum FailureClass : short
{
    None = 0,
    MailboxNotFound = 1,
    DomainNotFound = 2,
    MailboxFull = 3,
    MailboxDisabled = 4,
    MessageTooLarge = 5,
    Policy = 6,
    Spam = 7,
    Authentication = 8,
    RateLimited = 9,
    Greylisted = 10,
    Network = 11,
    Dns = 12,
    Tls = 13,
    Protocol = 14,
    Content = 15,
    Expired = 16,
    Interrupted = 17,
    Other = 18,
}

internal sealed class AttemptConfiguration : IEntityTypeConfiguration<Attempt>
{
    public void Configure(EntityTypeBuilder<Attempt> builder)
    {
        builder.Property(a => a.Id).ValueGeneratedNever();
        // json, not jsonb: it is written often, read whole and never searched.
        builder.Property(a => a.Conversation).HasColumnType("json");
        builder.HasIndex(a => new { a.RecipientId, a.Number });
    }
}
