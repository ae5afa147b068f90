using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>A change of state, written in the transaction that made it. Insert only; webhooks, API and pages are derived from it.</summary>
public sealed class Event
{
    public long Id { get; set; }
    public long AccountId { get; set; }
    public EventType Type { get; set; }
    public DateTimeOffset At { get; set; }
    public long? MessageId { get; set; }
    public long? RecipientId { get; set; }

    /// <summary>Counts per recipient from 1.</summary>
    public int Sequence { get; set; }

    /// <summary>The attempt that made the change, where one did.</summary>
    public long? AttemptId { get; set; }

    /// <summary>What else there is to say, as a JSON object; absent where nothing is.</summary>
    public string? Detail { get; set; }
}

/// <summary>The kinds of events. The public names are the words joined: <c>message.delivered</c>. Values are stored.</summary>
public enum EventType : short
{
    MessageAccepted = 1,
    MessageScheduled = 2,
    MessageDelivered = 3,
    MessageDelayed = 4,
    MessageFailed = 5,
    MessageSuppressed = 6,
    MessageCanceled = 7,
    MessageHeld = 8,
    MessageQuarantined = 9,
    MessageRelayed = 10,
    MessageExpanded = 11,
    MessageComplained = 12,
    MessageUnsubscribed = 13,
    MessageUnrecognized = 14,
    MessageReceived = 20,
    WebhookTest = 30,
    WebhookDisabled = 31,
    DomainVerified = 40,
    DomainFailing = 41,
    AccountPaused = 50,
}

internal sealed class EventConfiguration : IEntityTypeConfiguration<Event>
{
    public void Configure(EntityTypeBuilder<Event> builder)
    {
        builder.Property(e => e.Id).ValueGeneratedNever();
        builder.HasIndex(e => new { e.MessageId, e.RecipientId });
        builder.Property(e => e.Detail).HasColumnType("json");
        // Events come in the order of time, so a few pages of summaries find those of a period.
        builder.HasIndex(e => e.At).HasMethod("brin");
        // Those about no message, which are few.
        builder.HasIndex(e => new { e.AccountId, e.At }).HasFilter("message_id IS NULL").HasDatabaseName("ix_event_account");
    }
}
