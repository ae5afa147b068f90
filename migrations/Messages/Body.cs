using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Messages;

/// <summary>A message's body: small ones inline, others in chunks of <see cref="ChunkSize"/>.</summary>
public sealed class Body
{
    /// <summary>Bodies up to this many octets are stored inline: they fit a page beside their row.</summary>
    public const int InlineLimit = 7000;

    /// <summary>
    /// Octets of a chunk: its row fills a page, and nothing goes to TOAST, which cuts into pieces of 2 kB and so writes four times as many rows and index
    /// entries.
    /// </summary>
    public const int ChunkSize = 8000;

    /// <summary>
    /// Chunks of one statement, 256 kB. PostgreSQL allocates larger parameters anew at each execution, page by page, which doubles what a chunk costs, and its backend
    /// grows several times their size.
    /// </summary>
    public const int ChunksAtOnce = 32;

    public long Id { get; set; }

    /// <summary>Octets.</summary>
    public long Size { get; set; }

    public byte[]? Inline { get; set; }
}

/// <summary>A piece of a body that is not inline.</summary>
public sealed class BodyChunk
{
    public long BodyId { get; set; }

    /// <summary>From 0.</summary>
    public int Number { get; set; }

    public required byte[] Bytes { get; set; }
}

internal sealed class BodyConfiguration : IEntityTypeConfiguration<Body>, IEntityTypeConfiguration<BodyChunk>
{
    public void Configure(EntityTypeBuilder<Body> builder) => builder.Property(b => b.Id).ValueGeneratedNever();

    public void Configure(EntityTypeBuilder<BodyChunk> builder) => builder.HasKey(c => new { c.BodyId, c.Number });
}
