using System.Globalization;
using System.Net.Http.Headers;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Rules;

/// <summary>Files sent with a message. Their names, types and ids become header fields of their parts.</summary>
internal static class AttachmentRules
{
    public const int MaxFilename = 255;
    public const int MaxContentType = 255;
    public const int MaxContentId = 128;
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
        if (attachment.ContentType is { } type && TypeFault(type) is { } fault)
            faults.Add(JsonPointer.Member(pointer, "contentType"), FaultCodes.InvalidContentType, fault);
        if (attachment.ContentId is { } id) CheckContentId(id, ids, JsonPointer.Member(pointer, "contentId"), faults);
    }

    private static void CheckFilename(string name, string pointer, Faults faults)
    {
        TextRules.Word(name, MaxFilename, pointer, faults);
        if (name is "." or ".." || name.AsSpan().ContainsAny('/', '\\'))
            faults.Add(pointer, FaultCodes.InvalidValue, "A file's name is a name without a path.");
    }

    private static string? TypeFault(string type)
    {
        if (type.Length > MaxContentType) return $"A media type has at most {MaxContentType} characters.";
        // RFC 2045 §5.1. The grammar of HTTP (RFC 9110 §8.3.1) is the same but for comments, and for * being a token's character in both.
        if (!type.All(c => c is >= ' ' and < '\x7f') || !MediaTypeHeaderValue.TryParse(type, out var parsed) || parsed.MediaType is not { } media || media.Contains('*'))
            return "A media type is such as application/pdf.";
        // RFC 2046 §5.1, §5.2.1: these are made up of parts, and must not be encoded in base64 as files are.
        return media.StartsWith("multipart/", StringComparison.OrdinalIgnoreCase) || media.StartsWith("message/", StringComparison.OrdinalIgnoreCase)
            ? "A file is not multipart or message; send it as application/octet-stream."
            : null;
    }

    // RFC 2392 §2: the id goes into an address of the form cid:id, and into angle brackets in Content-ID.
    private static void CheckContentId(string id, HashSet<string> ids, string pointer, Faults faults)
    {
        if (id.Length is 0 or > MaxContentId || !id.All(c => char.IsAsciiLetterOrDigit(c) || "!#$%&'*+-/=?^_`{|}~.@".Contains(c, StringComparison.Ordinal)))
            faults.Add(pointer, FaultCodes.InvalidValue, $"A content id has 1 to {MaxContentId} characters of a plain address, without angle brackets.");
        else if (!ids.Add(id))
            faults.Add(pointer, FaultCodes.InvalidValue, "Another attachment has the same content id.");
    }

    private static SpooledFile? FileOf(SendAttachment attachment, IReadOnlyList<SpooledFile> files) =>
        int.TryParse(attachment.Content, NumberStyles.None, CultureInfo.InvariantCulture, out var number) && number < files.Count ? files[number] : null;
}
