using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace MoxApi.Migrations.Nodes;

/// <summary>A running node's claim to life. Rows of a queue that name a session come back when it is not renewed.</summary>
public sealed class Session
{
    public long Id { get; set; }

    /// <summary>The node's name.</summary>
    public required string Node { get; set; }

    /// <summary>The roles it runs.</summary>
    public required string[] Roles { get; set; }

    /// <summary>The last renewal, on PostgreSQL's clock.</summary>
    public DateTimeOffset SeenAt { get; set; }
}

/// <summary>The one row that describes the installation.</summary>
public sealed class Installation
{
    public int Id { get; set; }

    /// <summary>Makes public ids of stored ones; see <see cref="Identifiers.PublicIds"/>. Not a credential.</summary>
    public required byte[] IdKey { get; set; }

    /// <summary>Programs of a smaller <see cref="SchemaMigrator.ProgramVersion"/> refuse this schema.</summary>
    public int MinimumProgramVersion { get; set; }

    public DateTimeOffset CreatedAt { get; set; }
}

internal sealed class SessionConfiguration : IEntityTypeConfiguration<Session>, IEntityTypeConfiguration<Installation>
{
    public void Configure(EntityTypeBuilder<Session> builder) => builder.HasIndex(s => s.Node);

    public void Configure(EntityTypeBuilder<Installation> builder) => builder.Property(i => i.Id).ValueGeneratedNever();
}
