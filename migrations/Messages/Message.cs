using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>A message, stored once however many recipients it has, and unchanged after signing.</summary>
public sealed class Message
{
    public long Id { get; set; }
    public long AccountId { get; set; }
    public MessageDirection Direction { get; set; }

    /// <summary>The Message-ID with its angle brackets; empty where an incoming message has none.</summary>
    public required string MessageIdHeader { get; set; }

    /// <summary>From as people read it: <c>Name &lt;address&gt;</c> or the address.</summary>
    public required string FromHeader { get; set; }

    public required string Subject { get; set; }

    /// <summary>Octets of header and body together.</summary>
    public long Size { get; set; }

    /// <summary>The header block with the empty line that ends it. The body is apart, so that recipients may share it.</summary>
    public required byte[] Header { get; set; }

    public long BodyId { get; set; }
    public required string[] Tags { get; set; }

    /// <summary>A flat JSON object of strings.</summary>
    public required string Metadata { get; set; }

    public DateTimeOffset AcceptedAt { get; set; }

    /// <summary>The reverse-path of all recipients; absent where each has its own under <see cref="ReturnPathDomain"/>.</summary>
    public string? ReversePath { get; set; }

    /// <summary>The domain of unique return paths, as A-labels.</summary>
    public string? ReturnPathDomain { get; set; }

    public RequireTls RequireTls { get; set; }

    /// <summary>Whether header or envelope need SMTPUTF8 (RFC 6531).</summary>
    public bool NeedsSmtpUtf8 { get; set; }

    /// <summary>The domain of From, where it is one of ours.</summary>
    public long? DomainId { get; set; }

    /// <summary>When it is to be sent, where its sender said so.</summary>
    public DateTimeOffset? SendAt { get; set; }

    /// <summary>Whether a test key sent it: it never leaves.</summary>
    public bool IsTest { get; set; }

    /// <summary>When its octets and the conversations of its attempts were deleted, be it for age or by request.</summary>
    public DateTimeOffset? ContentDeletedAt { get; set; }
}

/// <summary>Where a message goes.</summary>
public enum MessageDirection : short
{
    Outgoing = 0,
    Incoming = 1,
}

/// <summary>What a message asks of the transport's protection.</summary>
public enum RequireTls : short
{
    /// <summary>Opportunistic.</summary>
    Default = 0,

    /// <summary>A verified certificate and REQUIRETLS (RFC 8689), or failure with 5.7.30.</summary>
    Required = 1,

    /// <summary>Delivery counts more than protection: <c>TLS-Required: No</c> (RFC 8689 §5).</summary>
    Relaxed = 2,
}

internal sealed class MessageConfiguration : IEntityTypeConfiguration<Message>
{
    public void Configure(EntityTypeBuilder<Message> builder)
    {
        builder.Property(m => m.Id).ValueGeneratedNever();
        builder.Property(m => m.Metadata).HasColumnType("jsonb");
        // Lists are led by the account; the id breaks ties, so a cursor ends also with equal times.
        // What was received has a list of its own, and is passed over by those of what was sent.
        builder.HasIndex(m => new { m.AccountId, m.Direction, m.AcceptedAt, m.Id });
        // What retention still has to look at.
        builder.HasIndex(m => new { m.AccountId, m.AcceptedAt }).HasFilter("content_deleted_at IS NULL AND direction = 0").HasDatabaseName("ix_message_with_content");
        // Rare words and tags within an account. Messages are never updated on the hot path, so these cost only their insert.
        builder.HasIndex(m => new { m.AccountId, m.Subject }).HasMethod("gin").HasOperators("int8_ops", "gin_trgm_ops").HasFilter("direction = 0").HasDatabaseName("ix_message_subject");
        builder.HasIndex(m => new { m.AccountId, m.Tags }).HasMethod("gin").HasOperators("int8_ops", "array_ops").HasFilter("direction = 0").HasDatabaseName("ix_message_tags");
    }
}
