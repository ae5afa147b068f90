using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Accounts;

/// <summary>An address that receives mail for an account, and that the account may send from.</summary>
public sealed class Address
{
    public long Id { get; set; }
    public long AccountId { get; set; }
    public long DomainId { get; set; }

    /// <summary>Decoded, in NFC, lower case: local parts of our own domains are not case-sensitive.</summary>
    public required string LocalPart { get; set; }

    /// <summary>The display name of sends that name no From.</summary>
    public string? DisplayName { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed class AddressConfiguration : IEntityTypeConfiguration<Address>
{
    public void Configure(EntityTypeBuilder<Address> builder)
    {
        builder.HasIndex(a => new { a.DomainId, a.LocalPart }).IsUnique();
        builder.HasIndex(a => a.AccountId);
        builder.HasOne<Account>().WithMany().HasForeignKey(a => a.AccountId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Domain>().WithMany().HasForeignKey(a => a.DomainId).OnDelete(DeleteBehavior.Cascade);
    }
}
