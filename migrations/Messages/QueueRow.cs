using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>The queue: a row per recipient that is not finished. Leases are in <see cref="Leases.LeasedQueue"/>.</summary>
public sealed class QueueRow
{
    public long RecipientId { get; set; }
    public long LaneId { get; set; }

    /// <summary>The author's domain, where it is one of ours: as in the message.</summary>
    public long? DomainId { get; set; }

    public DateTimeOffset DueAt { get; set; }
    public bool Held { get; set; }

    /// <summary>The session that holds the row; absent while nobody does.</summary>
    public long? SessionId { get; set; }

    /// <summary>Delivery attempts made.</summary>
    public int Attempts { get; set; }

    /// <summary>How often in a row the row came back from a session that died with it.</summary>
    public int Reclaims { get; set; }

    /// <summary>
    /// Whether a worker has begun with the row, written down only for rows that came back before (<see cref="Reclaims"/>): what comes back
    /// without it was not what killed the worker.
    /// </summary>
    public bool InHand { get; set; }

    /// <summary>The end of the message's life; not of a lease.</summary>
    public DateTimeOffset ExpiresAt { get; set; }
}

/// <summary>A destination: a recipient domain whose messages share connections and fate.</summary>
public sealed class Lane
{
    public long Id { get; set; }

    /// <summary>Lower-case A-labels; unique.</summary>
    public required string Domain { get; set; }
}

internal sealed class QueueConfiguration : IEntityTypeConfiguration<QueueRow>, IEntityTypeConfiguration<Lane>
{
    public void Configure(EntityTypeBuilder<QueueRow> builder)
    {
        builder.ToTable("queue");
        builder.HasKey(q => q.RecipientId);
        builder.Property(q => q.RecipientId).ValueGeneratedNever();
        // The claim walks one lane in the order of time; leased and held rows are not in its way.
        builder.HasIndex(q => new { q.LaneId, q.DueAt, q.RecipientId }).HasFilter("session_id IS NULL AND NOT held").HasDatabaseName("ix_queue_due");
        // What is queued from a domain, wherever the sender's other mail goes.
        builder.HasIndex(q => new { q.DomainId, q.Held, q.RecipientId }).HasFilter("domain_id IS NOT NULL").HasDatabaseName("ix_queue_domain");
        builder.HasIndex(q => q.SessionId).HasFilter("session_id IS NOT NULL").HasDatabaseName("ix_queue_session");
    }

    public void Configure(EntityTypeBuilder<Lane> builder) => builder.HasIndex(l => l.Domain).IsUnique();
}
