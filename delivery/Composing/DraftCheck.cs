using System.Globalization;
using System.Text;
using MoxApi.Mail.Addresses;

namespace MoxApi.Delivery.Composing;

/// <summary>The last defence against what would break out of a header or a line, whoever checked before.</summary>
internal static class DraftCheck
{
    private const int MaximumMailboxes = 1000;
    private const int MaximumFiles = 200;
    private const int MaximumHeaders = 100;
    private const int MaximumReferences = 200;
    private const int MaximumValue = 8_000;
    private const int MaximumId = 500;

    public static IReadOnlyList<DraftFault> Faults(MessageDraft draft)
    {
        var faults = new List<DraftFault>();
        Name(faults, "/from", draft.From);
        Names(faults, "/replyTo", draft.ReplyTo);
        Names(faults, "/to", draft.To);
        Names(faults, "/cc", draft.Cc);
        Value(faults, "/subject", draft.Subject);
        if (draft.Text is null && draft.Html is null) faults.Add(new DraftFault("/text", "A message needs a text or an HTML body."));
        Body(faults, "/text", draft.Text);
        Body(faults, "/html", draft.Html);
        Count(faults, "/attachments", draft.Attachments.Count, MaximumFiles);
        for (var n = 0; n < draft.Attachments.Count; n++) File(faults, $"/attachments/{n}", draft.Attachments[n]);
        Count(faults, "/headers", draft.Headers.Count, MaximumHeaders);
        for (var n = 0; n < draft.Headers.Count; n++) Header(faults, $"/headers/{n}", draft.Headers[n]);
        if (draft.MessageId is not null) Id(faults, "/messageId", draft.MessageId);
        if (draft.InReplyTo is not null) Id(faults, "/inReplyTo", draft.InReplyTo);
        Count(faults, "/references", draft.References.Count, MaximumReferences);
        for (var n = 0; n < draft.References.Count; n++) Id(faults, $"/references/{n}", draft.References[n]);
        return faults;
    }

    private static void Names(List<DraftFault> faults, string pointer, IReadOnlyList<Mailbox> mailboxes)
    {
        Count(faults, pointer, mailboxes.Count, MaximumMailboxes);
        for (var n = 0; n < mailboxes.Count; n++) Name(faults, $"{pointer}/{n}", mailboxes[n]);
    }

    // An address has no controls by its type; its name may have anything.
    private static void Name(List<DraftFault> faults, string pointer, Mailbox mailbox) => Value(faults, pointer, mailbox.DisplayName);

    private static void File(List<DraftFault> faults, string pointer, MessageFile file)
    {
        Value(faults, $"{pointer}/filename", file.FileName, 1000);
        if (file.ContentId is { } id && FileFields.ContentIdFault(id) is { } idFault) faults.Add(new DraftFault($"{pointer}/contentId", idFault));
        if (FileFields.MediaTypeFault(file.ContentType) is { } typeFault) faults.Add(new DraftFault($"{pointer}/contentType", typeFault));
    }

    private static void Header(List<DraftFault> faults, string pointer, MessageHeader header)
    {
        // RFC 5322 §3.6.8: printable ASCII without the colon.
        if (header.Name.Length is 0 or > 76 || header.Name.AsSpan().ContainsAnyExceptInRange('!', '~') || header.Name.Contains(':', StringComparison.Ordinal))
            faults.Add(new DraftFault($"{pointer}/name", "A header name has 1 to 76 printable ASCII characters, without spaces and colons."));
        else if (ReservedFields.Has(header.Name))
            faults.Add(new DraftFault($"{pointer}/name", $"The header {header.Name} is written by the mail system."));
        Value(faults, $"{pointer}/value", header.Value);
    }

    private static void Id(List<DraftFault> faults, string pointer, string id)
    {
        // RFC 5322 §3.6.4, taken broadly as real ids are: what matters is that it is one word.
        if (id.Length is < 5 or > MaximumId || id[0] != '<' || id[^1] != '>' || !id.Contains('@', StringComparison.Ordinal) || !IsIdText(id[1..^1]))
            faults.Add(new DraftFault(pointer, $"A message id has the form <left@right>, in at most {MaximumId} printable ASCII characters without spaces."));
    }

    private static bool IsIdText(string text) => !text.AsSpan().ContainsAnyExceptInRange('!', '~') && text.AsSpan().IndexOfAny('<', '>') < 0;

    private static void Value(List<DraftFault> faults, string pointer, string? text, int maximum = MaximumValue)
    {
        if (text is null) return;
        if (text.Length > maximum) faults.Add(new DraftFault(pointer, $"At most {maximum} characters fit here."));
        else if (FirstControl(text) is { } control) faults.Add(new DraftFault(pointer, $"The control character U+{(int)control:X4} has no place here."));
        else LoneSurrogate(faults, pointer, text);
    }

    private static void Body(List<DraftFault> faults, string pointer, string? text)
    {
        if (text is null) return;
        // RFC 5322 §2.3 excludes NUL from bodies; other controls are encoded.
        if (text.Contains('\0', StringComparison.Ordinal)) faults.Add(new DraftFault(pointer, "The character U+0000 has no place here."));
        else LoneSurrogate(faults, pointer, text);
    }

    private static char? FirstControl(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c)) return c;
        }
        return null;
    }

    private static void LoneSurrogate(List<DraftFault> faults, string pointer, string text)
    {
        for (var at = text.AsSpan().IndexOfAnyInRange('\ud800', '\udfff'); at >= 0 && at < text.Length; at++)
        {
            if (!char.IsSurrogate(text[at])) continue;
            if (Rune.TryGetRuneAt(text, at, out _)) at++;
            else
            {
                faults.Add(new DraftFault(pointer, string.Create(CultureInfo.InvariantCulture, $"The character at {at} is half a surrogate pair.")));
                return;
            }
        }
    }

    private static void Count(List<DraftFault> faults, string pointer, int count, int maximum)
    {
        if (count > maximum) faults.Add(new DraftFault(pointer, $"At most {maximum} fit here."));
    }
}
