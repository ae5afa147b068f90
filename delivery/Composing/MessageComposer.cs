using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using MimeKit;

namespace MoxApi.Delivery.Composing;

/// <summary>
/// Makes the bytes of a message: header fields for the whole world's servers (RFC 5322, 2047, 2231; 6532 only where an address asks for it)
/// over a MIME body in seven bits. Safe for concurrent use.
/// </summary>
/// <param name="clock">Dates the messages that have no date of their own.</param>
public sealed class MessageComposer(TimeProvider clock)
{
    private static readonly FormatOptions Format = new() { NewLineFormat = NewLineFormat.Dos, ParameterEncodingMethod = ParameterEncodingMethod.Rfc2231 };

    /// <summary>All that is wrong with a draft; nothing when it can be composed.</summary>
    public static IReadOnlyList<DraftFault> Check(MessageDraft draft) => DraftCheck.Faults(draft);

    /// <summary>Composes a message: its body goes to <paramref name="body"/> in pieces, its header comes back.</summary>
    /// <param name="draft">What it is made of.</param>
    /// <param name="body">Where the body goes, while it is hashed. Nothing of it is kept in memory.</param>
    /// <param name="stop">Gives up.</param>
    /// <exception cref="DraftException">The draft has faults; nothing was written.</exception>
    public async Task<ComposedMessage> ComposeAsync(MessageDraft draft, Stream body, CancellationToken stop)
    {
        var faults = DraftCheck.Faults(draft);
        if (faults.Count > 0) throw new DraftException(faults);
        using var entity = BodyStructure.Build(draft);
        var id = draft.MessageId ?? NewMessageId(draft);
        var header = Header(draft, id, entity, stop);
        using var sink = new BodySink(body);
        await entity.WriteToAsync(Format, sink, contentOnly: true, stop);
        return new ComposedMessage(header, sink.CompleteHash(), sink.Size, id, NeedsSmtpUtf8(draft));
    }

    private static string NewMessageId(MessageDraft draft) =>
        $"<{Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(16))}@{draft.From.Address.Domain.Ascii}>";

    // RFC 6531 §3.2: needed for what the header has in UTF-8. A subject or a name is encoded, a domain has A-labels; only local parts remain.
    private static bool NeedsSmtpUtf8(MessageDraft draft) =>
        draft.ReplyTo.Concat(draft.To).Concat(draft.Cc).Append(draft.From).Any(each => each.Address.NeedsSmtpUtf8);

    private byte[] Header(MessageDraft draft, string id, MimeEntity entity, CancellationToken stop)
    {
        var fields = new HeaderWriter();
        fields.Mailboxes("From", [draft.From]);
        if (draft.ReplyTo.Count > 0) fields.Mailboxes("Reply-To", draft.ReplyTo);
        if (draft.To.Count > 0) fields.Mailboxes("To", draft.To);
        else if (draft.Cc.Count == 0) fields.Words("To", "undisclosed-recipients:;");
        if (draft.Cc.Count > 0) fields.Mailboxes("Cc", draft.Cc);
        if (!string.IsNullOrEmpty(draft.Subject)) fields.Text("Subject", draft.Subject);
        fields.Words("Date", Rfc5322Date(draft.Date ?? clock.GetUtcNow()));
        fields.Words("Message-ID", id);
        if (draft.InReplyTo is not null) fields.Words("In-Reply-To", draft.InReplyTo);
        if (draft.References.Count > 0) fields.Words("References", draft.References);
        foreach (var header in draft.Headers) fields.Text(header.Name, header.Value);
        fields.Words("MIME-Version", "1.0");
        using var output = new MemoryStream(2048);
        output.Write(Encoding.UTF8.GetBytes(fields.ToString()));
        entity.Headers.WriteTo(Format, output, stop); // With the empty line after them.
        return output.ToArray();
    }

    // RFC 5322 §3.3.
    private static string Rfc5322Date(DateTimeOffset date) =>
        string.Create(CultureInfo.InvariantCulture, $"{date:ddd, d MMM yyyy HH:mm:ss} {(date.Offset < TimeSpan.Zero ? '-' : '+')}{date.Offset:hhmm}");
}
