using MoxApi.Api.Messages.Reading;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages;

/// <summary>A message to send, read and found to be in order: what is left to check is who may send it.</summary>
internal sealed record OutgoingMessage
{
    /// <summary>Absent: the account's own address.</summary>
    public Mailbox? From { get; init; }

    public IReadOnlyList<Mailbox> To { get; init; } = [];
    public IReadOnlyList<Mailbox> Cc { get; init; } = [];
    public IReadOnlyList<Mailbox> Bcc { get; init; } = [];
    public IReadOnlyList<Mailbox> ReplyTo { get; init; } = [];
    public string? Subject { get; init; }
    public string? Text { get; init; }
    public string? Html { get; init; }
    public IReadOnlyList<OutgoingFile> Attachments { get; init; } = [];
    public IReadOnlyList<MoxApi.OpenApi.Messages.MessageHeader> Headers { get; init; } = [];
    public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyDictionary<string, string> Metadata { get; init; } = new Dictionary<string, string>();

    /// <summary>Message ids in angle brackets, oldest first.</summary>
    public IReadOnlyList<string> References { get; init; } = [];

    /// <summary>In angle brackets.</summary>
    public string? InReplyTo { get; init; }

    /// <summary>In angle brackets; absent: one is to be made.</summary>
    public string? MessageId { get; init; }

    /// <summary>Absent: the time of acceptance.</summary>
    public DateTimeOffset? Date { get; init; }

    /// <summary>Absent: at once. A past time is one of the request, and so of its fingerprint, all the same.</summary>
    public DateTimeOffset? SendAt { get; init; }

    public RequireTls RequireTls { get; init; }

    /// <summary>Absent: as the account is set.</summary>
    public ReturnPath? ReturnPath { get; init; }

    /// <summary>What is to be composed; the blind recipients are not part of it.</summary>
    public MessageDraft ToDraft(Mailbox from) => new()
    {
        From = from,
        ReplyTo = ReplyTo,
        To = To,
        Cc = Cc,
        Subject = Subject,
        Text = Text,
        Html = Html,
        Attachments = [.. Attachments.Select(file => new MessageFile(file.Filename, file.ContentType, file.Content.OpenRead, file.ContentId) { Length = file.Content.Length })],
        Headers = [.. Headers.Select(header => new MoxApi.Delivery.Composing.MessageHeader(header.Name, header.Value))],
        MessageId = MessageId,
        Date = Date,
        InReplyTo = InReplyTo,
        References = References,
    };

    /// <summary>To, Cc and Bcc in this order, each address once: the first that names an address decides what it is.</summary>
    public IEnumerable<(RecipientKind Kind, MailAddress Address)> Recipients =>
        To.Select(named => (RecipientKind.To, named.Address))
            .Concat(Cc.Select(named => (RecipientKind.Cc, named.Address)))
            .Concat(Bcc.Select(named => (RecipientKind.Bcc, named.Address)))
            .DistinctBy(recipient => recipient.Address);
}

/// <summary>A file of a message.</summary>
/// <param name="Filename">Without a path.</param>
/// <param name="ContentType">The media type, with parameters where given.</param>
/// <param name="ContentId">Without angle brackets; present: the HTML shows the file.</param>
/// <param name="Content">The decoded file.</param>
internal sealed record OutgoingFile(string Filename, string ContentType, string? ContentId, SpooledFile Content);
