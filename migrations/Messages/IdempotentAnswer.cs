using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>The answer to a send that carried an Idempotency-Key, kept for <see cref="Life"/> for whoever sends it again.</summary>
public sealed class IdempotentAnswer
{
    /// <summary>How long a key is remembered: 24 hours.</summary>
    public static readonly TimeSpan Life = TimeSpan.FromHours(24);

    public long AccountId { get; set; }

    /// <summary>1 to 255 printable ASCII characters.</summary>
    public required string Key { get; set; }

    /// <summary>A digest of the parsed request.</summary>
    public required byte[] Fingerprint { get; set; }

    /// <summary>What the first request was answered.</summary>
    public required string Answer { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed class IdempotentAnswerConfiguration : IEntityTypeConfiguration<IdempotentAnswer>
{
    public void Configure(EntityTypeBuilder<IdempotentAnswer> builder)
    {
        builder.HasKey(i => new { i.AccountId, i.Key });
        builder.HasIndex(i => i.CreatedAt);
    }
}
