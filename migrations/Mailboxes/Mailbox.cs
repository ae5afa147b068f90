using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;

namespace MoxApi.Migrations.Mailboxes;

/// <summary>A mailbox of an account.</summary>
public sealed class Mailbox
{
    public long Id { get; set; }
    public long AccountId { get; set; }

    /// <summary>Unique within the account; <c>Inbox</c> is where mail arrives.</summary>
    public required string Name { get; set; }

    /// <summary>The UID that the next message gets; UIDs only grow (RFC 9051 §2.3.1.1).</summary>
    public long UidNext { get; set; } = 1;
}

/// <summary>A message in a mailbox, with the envelope it came in.</summary>
public sealed class MailboxMessage
{
    public long MailboxId { get; set; }
    public long Uid { get; set; }
    public long MessageId { get; set; }
    public long AccountId { get; set; }
    public DateTimeOffset ReceivedAt { get; set; }

    /// <summary>Empty for the null reverse-path.</summary>
    public required string ReversePath { get; set; }

    public required string ForwardPath { get; set; }
    public required string RemoteAddress { get; set; }

    /// <summary>What the client called itself in EHLO.</summary>
    public required string Helo { get; set; }
}

internal sealed class MailboxConfiguration : IEntityTypeConfiguration<Mailbox>, IEntityTypeConfiguration<MailboxMessage>
{
    public void Configure(EntityTypeBuilder<Mailbox> builder)
    {
        builder.HasIndex(m => new { m.AccountId, m.Name }).IsUnique();
        builder.HasOne<Account>().WithMany().HasForeignKey(m => m.AccountId).OnDelete(DeleteBehavior.Cascade);
    }

    public void Configure(EntityTypeBuilder<MailboxMessage> builder)
    {
        builder.HasKey(m => new { m.MailboxId, m.Uid });
        builder.HasIndex(m => new { m.AccountId, m.ReceivedAt, m.MessageId });
        builder.HasIndex(m => m.MessageId);
        builder.HasOne<Mailbox>().WithMany().HasForeignKey(m => m.MailboxId).OnDelete(DeleteBehavior.Cascade);
        builder.HasOne<Message>().WithMany().HasForeignKey(m => m.MessageId).OnDelete(DeleteBehavior.Restrict);
    }
}
