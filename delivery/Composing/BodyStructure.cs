using MimeKit;

namespace MoxApi.Delivery.Composing;

/// <summary>Arranges the parts of a message: mixed, of related, of alternative, each only where it is needed (RFC 2046 §5.1, RFC 2387).</summary>
internal static class BodyStructure
{
    /// <summary>Builds the tree of parts; disposing of it closes the files.</summary>
    public static MimeEntity Build(MessageDraft draft)
    {
        var body = Alternative(draft);
        // What the HTML can show belongs to it; without HTML every file is one to keep.
        var files = draft.Attachments.ToLookup(each => draft.Html is not null && each.ContentId is not null);
        if (files[true].Any())
        {
            var related = new MultipartRelated { Root = body };
            foreach (var file in files[true]) related.Add(File(file, ContentDisposition.Inline));
            body = related;
        }
        if (!files[false].Any()) return body;
        var mixed = new Multipart("mixed") { body };
        foreach (var file in files[false]) mixed.Add(File(file, ContentDisposition.Attachment));
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
        // Not by ContentId: its setter parses, and so may change what the HTML names.
        if (file.ContentId is not null) part.Headers.Add(HeaderId.ContentId, $"<{file.ContentId}>");
        return part;
    }
}
