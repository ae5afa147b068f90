using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MoxApi.Migrations.Accounts;

namespace MoxApi.Migrations.Messages;

/// <summary>An address that an account does not send to any more. It is looked up for every recipient, at accept and again at delivery.</summary>
public sealed class Suppression
{
    public long Id { get; set; }

    public long AccountId { get; set; }

    /// <summary>Unique within the account: see <see cref="Recipient.BaseAddress"/>.</summary>
    public required string BaseAddress { get; set; }

    /// <summary>The address as it was given or tried, with U-labels.</summary>
    public required string Address { get; set; }

    public SuppressionReason Reason { get; set; }

    /// <summary>The class of the failure that caused it; <see cref="FailureClass.None"/> where none did.</summary>
    public FailureClass FailureClass { get; set; }

    /// <summary>The server's words, or what somebody noted.</summary>
    public string? Detail { get; set; }

    /// <summary>The recipient whose fate caused it.</summary>
    public long? RecipientId { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>From when on the address is sent to again; absent where that is never.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }
}

/// <summary>Why an address is suppressed. Values are stored.</summary>
public enum SuppressionReason : short
{
    /// <summary>Somebody added it.</summary>
    Manual = 0,

    /// <summary>A delivery failed in a way that says the address is of no use.</summary>
    Bounce = 1,

    /// <summary>Three deliveries in a row failed for good.</summary>
    RepeatedFailures = 2,

    /// <summary>The recipient called a message spam.</summary>
    Complaint = 3,

    /// <summary>The recipient unsubscribed.</summary>
    Unsubscribe = 4,
}

internal sealed class SuppressionConfiguration : IEntityTypeConfiguration<Suppression>
{
    public void Configure(EntityTypeBuilder<Suppression> builder)
    {
        builder.HasIndex(s => new { s.AccountId, s.BaseAddress }).IsUnique();
        builder.HasIndex(s => new { s.AccountId, s.CreatedAt, s.Id });
        builder.HasIndex(s => new { s.AccountId, s.Reason, s.CreatedAt, s.Id });
        builder.HasOne<Account>().WithMany().HasForeignKey(s => s.AccountId).OnDelete(DeleteBehavior.Cascade);
    }
}
