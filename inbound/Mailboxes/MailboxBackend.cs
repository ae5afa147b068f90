using Microsoft.Extensions.Logging;
using MoxApi.Inbound.Smtp;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;
using MoxApi.Migrations.Identifiers;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>Takes mail for the addresses of accounts, and puts it into their Inbox. In the sandbox, one account receives all.</summary>
internal sealed partial class MailboxBackend(
    Addressees addressees, MailboxStore store, PublicIds publicIds, MailboxOptions options, TimeProvider time, ILogger<MailboxBackend> logger) : ISmtpBackend
{
    private static readonly SmtpReply Ok = new(250, new(2, 1, 0), "Ok");
    private static readonly SmtpReply RecipientOk = new(250, new(2, 1, 5), "Ok");
    private static readonly SmtpReply NoSuchMailbox = new(550, new(5, 1, 1), "There is no such mailbox here.");
    private static readonly SmtpReply HeaderTooLong = new(552, new(5, 3, 4), $"The header has more than {HeaderBlock.MaxOctets} octets.");
    private static readonly SmtpReply HungLongEnough = new(451, new(4, 4, 1), "This address never answers in time.");

    public ISmtpTransaction Begin(SmtpEnvelope envelope) => new Transaction(this, addressees, envelope);

    private async ValueTask<SmtpReply?> PlayAsync(MailAddress recipient, CancellationToken cancellationToken)
    {
        if (options.SandboxAddress is null) return null;
        var behaviour = SandboxAddresses.Of(recipient.LocalPart);
        if (!behaviour.Hangs) return behaviour.Reply;
        await Task.Delay(options.SandboxHang, time, cancellationToken);
        return HungLongEnough;
    }

    private async ValueTask<SmtpReply> StoreAsync(SmtpEnvelope envelope, HashSet<Addressee> taken, MessageSpool content, CancellationToken cancellationToken)
    {
        var stream = await content.OpenAsync(cancellationToken);
        if (await store.StoreAsync(envelope, taken, stream, cancellationToken) is not { } id) return HeaderTooLong;
        var publicId = publicIds.Make(PublicIdKind.Message, id);
        Log.Stored(logger, publicId, envelope.Id, taken.Count);
        return new SmtpReply(250, new(2, 0, 0), $"Ok {publicId}");
    }

    private sealed class Transaction(MailboxBackend backend, Addressees addressees, SmtpEnvelope envelope) : ISmtpTransaction
    {
        // A recipient named twice gets one copy.
        private readonly HashSet<Addressee> taken = [];

        public ValueTask<SmtpReply> MailAsync(CancellationToken cancellationToken) => ValueTask.FromResult(Ok);

        public async ValueTask<SmtpReply> RcptAsync(MailAddress recipient, CancellationToken cancellationToken)
        {
            if (await backend.PlayAsync(recipient, cancellationToken) is { } refusal) return refusal;
            if (await addressees.FindAsync(recipient, cancellationToken) is not { } account) return NoSuchMailbox;
            taken.Add(new Addressee(recipient, account));
            return RecipientOk;
        }

        public ValueTask<SmtpReply> DataAsync(MessageSpool content, CancellationToken cancellationToken) =>
            backend.StoreAsync(envelope, taken, content, cancellationToken);

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }

    private static partial class Log
    {
        [LoggerMessage(Level = LogLevel.Information, Message = "Received {MessageId}, transaction {Transaction}, for {Recipients} recipients")]
        public static partial void Stored(ILogger logger, string messageId, string transaction, int recipients);
    }
}
