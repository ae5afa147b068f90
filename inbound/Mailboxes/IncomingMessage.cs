using System.Text;
using MoxApi.Inbound.Smtp;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;

namespace MoxApi.Inbound.Mailboxes;

/// <summary>What is stored about a message that came in, as rows.</summary>
internal sealed class IncomingMessage
{
    private readonly SmtpEnvelope envelope;
    private readonly byte[] header;
    private readonly long bodySize;
    private readonly DateTimeOffset receivedAt;
    private readonly HeaderSummary summary;

    public IncomingMessage(SmtpEnvelope envelope, byte[] header, long bodySize, DateTimeOffset receivedAt)
    {
        this.envelope = envelope;
        this.bodySize = bodySize;
        this.receivedAt = receivedAt;
        summary = HeaderSummary.Read(header);
        // RFC 5321 §4.4: the server that makes final delivery puts the return path first.
        this.header = [.. Encoding.UTF8.GetBytes($"Return-Path: <{Sender(ascii: !envelope.Mail.SmtpUtf8)}>\r\n"), .. header];
    }

    /// <summary>The message of an account.</summary>
    public Message For(long id, long accountId, long bodyId) => new()
    {
        Id = id,
        AccountId = accountId,
        Direction = MessageDirection.Incoming,
        MessageIdHeader = summary.MessageId,
        FromHeader = summary.From,
        Subject = summary.Subject,
        Size = header.Length + bodySize,
        Header = header,
        BodyId = bodyId,
        Tags = [],
        Metadata = "{}",
        AcceptedAt = receivedAt,
        ReversePath = Sender(ascii: false),
        NeedsSmtpUtf8 = envelope.Mail.SmtpUtf8,
    };

    /// <summary>The entry of a recipient in a mailbox.</summary>
    public MailboxMessage In(long mailboxId, long uid, long messageId, Addressee addressee) => new()
    {
        MailboxId = mailboxId,
        Uid = uid,
        MessageId = messageId,
        AccountId = addressee.AccountId,
        ReceivedAt = receivedAt,
        ReversePath = Sender(ascii: false),
        ForwardPath = addressee.ForwardPath.ToString(),
        RemoteAddress = envelope.Peer.Address.ToString(),
        Helo = envelope.Hello.Name,
    };

    private string Sender(bool ascii) => (ascii ? envelope.ReversePath?.ToAscii() : envelope.ReversePath?.ToString()) ?? "";
}
