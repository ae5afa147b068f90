using System.Globalization;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.Delivery.Composing;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Rules;

/// <summary>Files sent with a message. Their names, types and ids become header fields of their parts.</summary>
internal static class AttachmentRules
{
    public const int MaxFilename = 255;
    private const string DefaultType = "application/octet-stream";

    public static IReadOnlyList<OutgoingFile> Apply(IReadOnlyList<SendAttachment> attachments, IReadOnlyList<SpooledFile> files, Faults faults)
    {
        if (attachments.Count > ScannedFiles.Max)
        {
            faults.Add("/attachments", FaultCodes.TooMany, $"There are at most {ScannedFiles.Max} attachments.");
            return [];
        }
        var all = new List<OutgoingFile>(attachments.Count);
        var ids = new HashSet<string>();
        for (var i = 0; i < attachments.Count; i++)
        {
            var attachment = attachments[i];
            Check(attachment, ids, JsonPointer.Item("/attachments", i), faults);
            // Without a file, the content was missing or no string, which has been named.
            if (FileOf(attachment, files) is { } file)
                all.Add(new(attachment.Filename, attachment.ContentType ?? DefaultType, attachment.ContentId, file));
        }
        return all;
    }

    private static void Check(SendAttachment attachment, HashSet<string> ids, string pointer, Faults faults)
    {
        CheckFilename(attachment.Filename, JsonPointer.Member(pointer, "filename"), faults);
        if (attachment.ContentType is { } type && FileFields.MediaTypeFault(type) is { } fault)
            faults.Add(JsonPointer.Member(pointer, "contentType"), FaultCodes.InvalidContentType, fault);
        if (attachment.ContentId is { } id) CheckContentId(id, ids, JsonPointer.Member(pointer, "contentId"), faults);
    }

    private static void CheckFilename(string name, string pointer, Faults faults)
    {
        TextRules.Word(name, MaxFilename, pointer, faults);
        if (name is "." or ".." || name.AsSpan().ContainsAny('/', '\\'))
            faults.Add(pointer, FaultCodes.InvalidValue, "A file's name is a name without a path.");
    }

    // RFC 2392 §2: the id goes into an address of the form cid:id, and into angle brackets in Content-ID.
    private static void CheckContentId(string id, HashSet<string> ids, string pointer, Faults faults)
    {
        if (FileFields.ContentIdFault(id) is { } fault) faults.Add(pointer, FaultCodes.InvalidValue, fault);
        else if (!ids.Add(id))
            faults.Add(pointer, FaultCodes.InvalidValue, "Another attachment has the same content id.");
    }

    private static SpooledFile? FileOf(SendAttachment attachment, IReadOnlyList<SpooledFile> files) =>
        int.TryParse(attachment.Content, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < files.Count ? files[number] : null;
}
