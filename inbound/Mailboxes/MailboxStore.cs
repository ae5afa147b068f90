using Microsoft.EntityFrameworkCore;
using MoxApi.Inbound.Smtp;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;
using Npgsql;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>A recipient, and the account that receives for it.</summary>
internal readonly record struct Addressee(MailAddress ForwardPath, long AccountId);

/// <summary>
/// Stores incoming mail in one transaction: the octets once, a message for each account, an entry in its Inbox for each recipient.
/// </summary>
internal sealed class MailboxStore(IDbContextFactory<MailDbContext> contexts, IdBlocks ids, TimeProvider time)
{
    /// <summary>Stores a message; when this returns, it is on disk.</summary>
    /// <param name="envelope">How it came.</param>
    /// <param name="addressees">One or more.</param>
    /// <param name="content">The message, from its beginning; seekable. It is closed.</param>
    /// <param name="cancellationToken">Gives up before the commit; never in the middle of it.</param>
    /// <returns>The id of the first account's message; null where the header is too long.</returns>
    public async Task<long?> StoreAsync(SmtpEnvelope envelope, IReadOnlyCollection<Addressee> addressees, Stream content, CancellationToken cancellationToken)
    {
        if (await HeaderBlock.ReadAsync(content, cancellationToken) is not { } header) return null;
        await using var body = await BodyAsync(content, header.Length, cancellationToken);
        var message = new IncomingMessage(envelope, header, body.Size, time.GetUtcNow());
        // Always in the order of accounts, so that no two transactions wait for each other's Inbox.
        var accounts = addressees.GroupBy(addressee => addressee.AccountId).OrderBy(account => account.Key).ToList();
        var bodyId = await ids.ReserveAsync(1 + accounts.Count, cancellationToken);
        var firstId = bodyId + 1;

        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        await using var transaction = await context.Database.BeginTransactionAsync(cancellationToken);
        // Whatever the server's default is: 250 says that the message survives a loss of power.
        await context.Database.ExecuteSqlAsync($"SET LOCAL synchronous_commit = on", cancellationToken);
        var connection = (NpgsqlConnection)context.Database.GetDbConnection();
        await BodyWriter.WriteAsync(connection, bodyId, body, cancellationToken);
        for (var n = 0; n < accounts.Count; n++)
        {
            context.Add(message.For(firstId + n, accounts[n].Key, bodyId));
            await AddEntriesAsync(context, connection, message, firstId + n, [.. accounts[n]], cancellationToken);
        }
        await context.SaveChangesAsync(cancellationToken);
        await transaction.CommitAsync(CancellationToken.None);
        return firstId;
    }

    private static async Task AddEntriesAsync(
        MailDbContext context, NpgsqlConnection connection, IncomingMessage message, long messageId, Addressee[] addressees, CancellationToken cancellationToken)
    {
        var places = await InboxPlaces.TakeAsync(connection, addressees[0].AccountId, addressees.Length, cancellationToken);
        for (var n = 0; n < addressees.Length; n++) context.Add(message.In(places.MailboxId, places.FirstUid + n, messageId, addressees[n]));
    }

    // Small ones are read, since they are stored beside their row; others stay in the file they came in.
    private static async ValueTask<BodyContent> BodyAsync(Stream content, int start, CancellationToken cancellationToken)
    {
        if (content.Length - start > Body.InlineLimit) return new BodyContent(content, start);
        var octets = new byte[content.Length - start];
        await content.ReadExactlyAsync(octets, cancellationToken);
        return new BodyContent(octets);
    }
}
