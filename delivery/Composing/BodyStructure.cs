using MimeKit;

namespace MoxApi.Delivery.Composing;

/// <summary>Arranges the parts of a message: mixed, of related, of alternative, each only where it is needed (RFC 2046 §5.1, RFC 2387).</summary>
internal static class BodyStructure
{
    /// <summary>Builds the tree of parts; disposing of it closes the files.</summary>
    public static MimeEntity Build(MessageDraft draft)
    {
        var body = Alternative(draft);
        var inline = draft.Html is null ? [] : draft.Attachments.Where(each => each.ContentId is not null).ToList();
        if (inline.Count > 0)
        {
            var related = new MultipartRelated { Root = body };
            foreach (var file in inline) related.Add(File(file, ContentDisposition.Inline));
            body = related;
        }
        if (inline.Count == draft.Attachments.Count) return body;
        var mixed = new Multipart("mixed") { body };
        foreach (var file in draft.Attachments.Except(inline)) mixed.Add(File(file, ContentDisposition.Attachment));
        return mixed;
    }

    private static MimeEntity Alternative(MessageDraft draft)
    {
        if (draft.Html is null) return BodyText.Part("plain", draft.Text ?? "");
        var html = BodyText.Part("html", draft.Html);
        return draft.Text is null ? html : new MultipartAlternative { BodyText.Part("plain", draft.Text), html };
    }

    private static MimePart File(MessageFile file, string disposition)
    {
        var part = new MimePart(ContentType.Parse(file.ContentType))
        {
            ContentTransferEncoding = ContentEncoding.Base64,
            ContentDisposition = new ContentDisposition(disposition),
            Content = new MimeContent(file.Open()),
        };
        if (file.FileName is not null) part.ContentDisposition.FileName = file.FileName;
        if (file.ContentId is not null) part.ContentId = file.ContentId;
        return part;
    }
}
