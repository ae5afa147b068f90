using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Accounts;

/// <summary>A signing key of a domain (RFC 6376, RFC 8463).</summary>
public sealed class DkimKey
{
    public long Id { get; set; }
    public long DomainId { get; set; }

    /// <summary>Unique within the domain.</summary>
    public required string Selector { get; set; }

    /// <summary><c>rsa</c> or <c>ed25519</c>, as in the record's <c>k=</c>.</summary>
    public required string Algorithm { get; set; }

    /// <summary>The private key, sealed under the master key with <see cref="SealContext"/>.</summary>
    public required byte[] SealedPrivateKey { get; set; }

    /// <summary>The value of the TXT record at <c>selector._domainkey.domain</c>.</summary>
    public required string TxtRecord { get; set; }

    /// <summary>Whether new messages are signed with it.</summary>
    public bool Active { get; set; } = true;

    /// <summary>Until when a message that it signed may be on its way: so long its record stays published, also when it is no longer active.</summary>
    public DateTimeOffset? NeededUntil { get; set; }

    /// <summary>When it ceased to be active.</summary>
    public DateTimeOffset? RetiredAt { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    /// <summary>The associated data that binds a sealed key to its row.</summary>
    public static string SealContext(string domain, string selector) => $"dkim_key:{domain}:{selector}";
}

internal sealed class DkimKeyConfiguration : IEntityTypeConfiguration<DkimKey>
{
    public void Configure(EntityTypeBuilder<DkimKey> builder)
    {
        builder.HasIndex(k => new { k.DomainId, k.Selector }).IsUnique();
        builder.HasOne<Domain>().WithMany(d => d.DkimKeys).HasForeignKey(k => k.DomainId).OnDelete(DeleteBehavior.Cascade);
    }
}
