using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Received;

namespace MoxApi.Api.Received;

/// <summary>What the database has in an account's mailboxes.</summary>
internal sealed class StoredReceived(IDbContextFactory<MailDbContext> contexts, MessageReader reader, PublicIds ids) : IReceivedMessages
{
    /// <inheritdoc/>
    public async Task<Page<ReceivedMessage>> ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        // A message that came for several addresses of the account has an entry for each, so its id makes no order; the UID in the Inbox does.
        var mine = context.MailboxMessages.AsNoTracking()
            .Where(e => e.AccountId == caller.AccountId && context.Mailboxes.Any(box => box.Id == e.MailboxId && box.Name == InboxPlaces.Inbox));
        if (page.From is { } at)
        {
            mine = page.Backward
                ? mine.Where(e => EF.Functions.GreaterThan(ValueTuple.Create(e.ReceivedAt, e.Uid), ValueTuple.Create(at.At, at.Id)))
                : mine.Where(e => EF.Functions.LessThan(ValueTuple.Create(e.ReceivedAt, e.Uid), ValueTuple.Create(at.At, at.Id)));
        }
        var ordered = page.Backward
            ? mine.OrderBy(e => e.ReceivedAt).ThenBy(e => e.Uid)
            : mine.OrderByDescending(e => e.ReceivedAt).ThenByDescending(e => e.Uid);
        var found = await (
            from e in ordered.Take(page.Limit + 1)
            join m in context.Messages on e.MessageId equals m.Id
            select new { Entry = e, m.MessageIdHeader, m.FromHeader, m.Subject, m.Size }).ToListAsync(cancellationToken);
        // A join promises no order.
        found.Sort((a, b) => (page.Backward ? 1 : -1) * (a.Entry.ReceivedAt, a.Entry.Uid).CompareTo((b.Entry.ReceivedAt, b.Entry.Uid)));
        return page.ToPage(found, f => new Place(f.Entry.ReceivedAt, f.Entry.Uid).ToCursor(TimedList.Received, ids), f => new ReceivedMessage
        {
            Id = ids.Make(PublicIdKind.Message, f.Entry.MessageId),
            MessageId = f.MessageIdHeader,
            From = f.FromHeader,
            ForwardPath = f.Entry.ForwardPath,
            ReversePath = f.Entry.ReversePath,
            Subject = f.Subject,
            ReceivedAt = f.Entry.ReceivedAt,
            Size = f.Size,
            Mailbox = InboxPlaces.Inbox,
        });
    }

    /// <inheritdoc/>
    public async Task<RawMessage?> RawAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        ids.TryRead(PublicIdKind.Message, id, out var stored) ? await reader.ReadAsync(caller.AccountId, stored, id, cancellationToken) : null;
}
