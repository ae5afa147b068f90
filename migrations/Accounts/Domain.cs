using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Accounts;

/// <summary>A domain that mail is sent from and received for.</summary>
public sealed class Domain
{
    public long Id { get; set; }

    /// <summary>The account that may send from every address of the domain.</summary>
    public long AccountId { get; set; }

    /// <summary>Lower-case A-labels; unique.</summary>
    public required string Name { get; set; }

    /// <summary>Where unique return paths live, as lower-case A-labels; its MX points here.</summary>
    public required string ReturnPathDomain { get; set; }

    /// <summary>When an admin suspended it: nothing may be sent from it, and what is queued is held. Absent while it may be used.</summary>
    public DateTimeOffset? SuspendedAt { get; set; }

    public DateTimeOffset CreatedAt { get; set; }

    public List<DkimKey> DkimKeys { get; } = [];
}

internal sealed class DomainConfiguration : IEntityTypeConfiguration<Domain>
{
    public void Configure(EntityTypeBuilder<Domain> builder)
    {
        builder.HasIndex(d => d.Name).IsUnique();
        builder.HasIndex(d => d.ReturnPathDomain);
        builder.HasOne<Account>().WithMany().HasForeignKey(d => d.AccountId).OnDelete(DeleteBehavior.Restrict);
    }
}
