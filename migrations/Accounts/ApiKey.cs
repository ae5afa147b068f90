using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Accounts;

/// <summary>A key of the HTTP API. The key itself is not stored.</summary>
public sealed class ApiKey
{
    public long Id { get; set; }

    /// <summary>The account the key acts for.</summary>
    public long AccountId { get; set; }

    public required string Name { get; set; }

    /// <summary>SHA-256 of the key: it has 128 random bits or more, so no slow hash is needed.</summary>
    public required byte[] Hash { get; set; }

    /// <summary>The key's first characters, to tell keys apart.</summary>
    public required string Prefix { get; set; }

    /// <summary>Of <c>send</c>, <c>read</c>, <c>suppressions</c>, <c>webhooks</c>, <c>admin</c>.</summary>
    public required string[] Scopes { get; set; }

    /// <summary>The domains it may send from, by id; absent where it may send as the account may.</summary>
    public long[]? DomainIds { get; set; }

    /// <summary>Whether it is for tests: what is sent with it is accepted and shown, and never leaves.</summary>
    public bool IsTest { get; set; }

    /// <summary>From when on it is refused; absent where it does not expire.</summary>
    public DateTimeOffset? ExpiresAt { get; set; }

    /// <summary>When it was last used, to within a few minutes.</summary>
    public DateTimeOffset? LastUsedAt { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed class ApiKeyConfiguration : IEntityTypeConfiguration<ApiKey>
{
    public void Configure(EntityTypeBuilder<ApiKey> builder)
    {
        builder.HasIndex(k => k.Hash).IsUnique();
        builder.HasOne<Account>().WithMany().HasForeignKey(k => k.AccountId).OnDelete(DeleteBehavior.Cascade);
    }
}
