using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>One recipient of an outgoing message: the unit of delivery, of events and of the books.</summary>
public sealed class Recipient
{
    public long Id { get; set; }
    public long MessageId { get; set; }
    public long AccountId { get; set; }

    /// <summary>The destination: see <see cref="Lane"/>.</summary>
    public long LaneId { get; set; }

    /// <summary>The forward-path, with U-labels.</summary>
    public required string Address { get; set; }

    /// <summary>What suppression goes by: the same for all spellings of an address that reach the same person. See <c>BaseAddress</c> in <c>mail/</c>.</summary>
    public required string BaseAddress { get; set; }

    /// <summary>When its message was accepted.</summary>
    public DateTimeOffset AcceptedAt { get; set; }

    public RecipientKind Kind { get; set; }
    public RecipientStatus Status { get; set; }

    /// <summary>The number of the recipient's newest event, from 1.</summary>
    public int EventSequence { get; set; }

    /// <summary>Delivery attempts made.</summary>
    public int Attempts { get; set; }

    /// <summary>When the next attempt is due, while one is to come.</summary>
    public DateTimeOffset? NextAttemptAt { get; set; }
}

/// <summary>The header field that named a recipient.</summary>
public enum RecipientKind : short
{
    To = 0,
    Cc = 1,
    Bcc = 2,
}

/// <summary>What became of a recipient. A row that a worker holds is shown as delivering; that is not stored.</summary>
public enum RecipientStatus : short
{
    Queued = 0,
    Scheduled = 1,
    Held = 2,
    Delayed = 3,
    Delivered = 4,
    Failed = 5,
    Suppressed = 6,
    Canceled = 7,
    Quarantined = 8,
}

internal sealed class RecipientConfiguration : IEntityTypeConfiguration<Recipient>
{
    public void Configure(EntityTypeBuilder<Recipient> builder)
    {
        builder.Property(r => r.Id).ValueGeneratedNever();
        builder.HasIndex(r => r.MessageId);
        // Lists by status and by recipient, newest first; what of an account is unfinished; the last outcomes for an address.
        builder.HasIndex(r => new { r.AccountId, r.Status, r.AcceptedAt, r.MessageId }).HasDatabaseName("ix_recipient_status");
        builder.HasIndex(r => new { r.AccountId, r.BaseAddress, r.AcceptedAt }).HasDatabaseName("ix_recipient_address");
    }
}
