using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;

namespace MoxApi.Migrations.Webhooks;

/// <summary>Where an account's events are posted to.</summary>
public sealed class WebhookEndpoint
{
    public long Id { get; set; }
    public long AccountId { get; set; }
    public required string Url { get; set; }

    /// <summary>The events wanted; empty means all but <see cref="EventType.MessageAccepted"/>.</summary>
    public required EventType[] Events { get; set; }

    public string? Description { get; set; }

    /// <summary><c>v1</c>.</summary>
    public string Format { get; set; } = "v1";

    /// <summary>The signing secret's bytes, sealed under the master key with <see cref="SealContext"/>.</summary>
    public required byte[] SealedSecret { get; set; }

    /// <summary>Random; binds the sealed secret to its row.</summary>
    public required Guid SealId { get; set; }

    /// <summary>Whether an admin allowed addresses that are not public.</summary>
    public bool AllowPrivate { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? DisabledAt { get; set; }

    /// <summary>Why it was disabled, as a sentence.</summary>
    public string? DisabledReason { get; set; }

    /// <summary>The secret before the last rotation, sealed like <see cref="SealedSecret"/>; signed with too until <see cref="PreviousSecretUntil"/>.</summary>
    public byte[]? SealedPreviousSecret { get; set; }

    /// <summary>Until when the previous secret is signed with.</summary>
    public DateTimeOffset? PreviousSecretUntil { get; set; }

    /// <summary>Not to be called before, as it asked by Retry-After: for all nodes.</summary>
    public DateTimeOffset? PausedUntil { get; set; }

    /// <summary>Since when no call has succeeded; absent while calls do.</summary>
    public DateTimeOffset? FailingSince { get; set; }

    /// <summary>The associated data that binds a sealed secret to its row.</summary>
    public string SealContext => SealContextOf(SealId);

    /// <summary>The <see cref="SealContext"/> of the row with this <see cref="SealId"/>.</summary>
    public static string SealContextOf(Guid sealId) => $"webhook_endpoint:{sealId:N}";
}

/// <summary>An event on its way to an endpoint, and what became of it.</summary>
public sealed class WebhookDelivery
{
    public long Id { get; set; }
    public long EndpointId { get; set; }
    public long EventId { get; set; }
    public WebhookDeliveryStatus Status { get; set; }
    public int Attempts { get; set; }
    public DateTimeOffset CreatedAt { get; set; }
    public DateTimeOffset? LastAttemptAt { get; set; }

    /// <summary>The HTTP status of the last attempt's answer; absent where none came.</summary>
    public int? ResponseStatus { get; set; }

    /// <summary>What went wrong at the last attempt.</summary>
    public string? Error { get; set; }

    /// <summary>How long the last attempt took.</summary>
    public int? DurationMs { get; set; }

    /// <summary>The headers of the last attempt's request, a JSON object of strings.</summary>
    public string? RequestHeaders { get; set; }

    /// <summary>The headers of the last attempt's answer, a JSON object of strings.</summary>
    public string? ResponseHeaders { get; set; }

    /// <summary>The beginning of the last attempt's answer: up to 64 KiB.</summary>
    public byte[]? ResponseBody { get; set; }
}

/// <summary>What became of a webhook delivery.</summary>
public enum WebhookDeliveryStatus : short
{
    Pending = 0,
    Delivered = 1,
    Failed = 2,
}

/// <summary>The queue of webhook deliveries: the same shape as <see cref="QueueRow"/>, an endpoint being a lane.</summary>
public sealed class WebhookQueueRow
{
    public long DeliveryId { get; set; }
    public long EndpointId { get; set; }
    public DateTimeOffset DueAt { get; set; }
    public bool Held { get; set; }
    public long? SessionId { get; set; }
    public int Attempts { get; set; }
    public int Reclaims { get; set; }
}

internal sealed class WebhookConfiguration :
    IEntityTypeConfiguration<WebhookEndpoint>, IEntityTypeConfiguration<WebhookDelivery>, IEntityTypeConfiguration<WebhookQueueRow>
{
    public void Configure(EntityTypeBuilder<WebhookEndpoint> builder)
    {
        builder.HasIndex(w => w.AccountId);
        builder.Ignore(w => w.SealContext);
        builder.HasOne<Account>().WithMany().HasForeignKey(w => w.AccountId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<WebhookDelivery> builder)
    {
        builder.Property(d => d.RequestHeaders).HasColumnType("json");
        builder.Property(d => d.ResponseHeaders).HasColumnType("json");
        builder.HasIndex(d => new { d.EndpointId, d.Id });
        builder.HasIndex(d => d.EventId);
        // For replays: failures are few.
        builder.HasIndex(d => new { d.EndpointId, d.CreatedAt }).HasFilter("status = 2").HasDatabaseName("ix_webhook_delivery_failed");
    }

    public void Configure(EntityTypeBuilder<WebhookQueueRow> builder)
    {
        builder.ToTable("webhook_queue");
        builder.HasKey(q => q.DeliveryId);
        builder.Property(q => q.DeliveryId).ValueGeneratedNever();
        builder.HasIndex(q => new { q.EndpointId, q.DueAt, q.DeliveryId }).HasFilter("session_id IS NULL AND NOT held").HasDatabaseName("ix_webhook_queue_due");
        builder.HasIndex(q => q.SessionId).HasFilter("session_id IS NOT NULL").HasDatabaseName("ix_webhook_queue_session");
    }
}
