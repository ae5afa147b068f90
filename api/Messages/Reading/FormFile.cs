using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using MoxApi.Api.Json;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages.Reading;

/// <summary>A file that came as a part of a form, with what the part's header says of it.</summary>
internal sealed record FormFile(string? Filename, string? ContentType, string? ContentId, string? Encoding, SpooledFile Content)
{
    private const string ContentIdHeader = "Content-ID";
    private const string EncodingHeader = "Content-Transfer-Encoding";

    public static FormFile Of(MultipartSection part, SpooledFile content) => new(
        FilenameOf(ContentDispositionHeaderValue.Parse(part.ContentDisposition)), part.ContentType, Field(part, ContentIdHeader)?.Trim() is ['<', .. var id, '>'] ? id : Field(part, ContentIdHeader),
        Field(part, EncodingHeader), content);

    /// <summary>Names what only a part can have wrong; the rest is checked as for every file.</summary>
    public void Check(string pointer, Faults faults)
    {
        if (Filename is null) faults.Add(JsonPointer.Member(pointer, "filename"), FaultCodes.Required, "The part needs a filename in its Content-Disposition.");
        // What is no UTF-8 was read as this character, which nobody names a file by.
        if (Filename?.Contains('\uFFFD', StringComparison.Ordinal) == true) faults.Add(JsonPointer.Member(pointer, "filename"), FaultCodes.InvalidCharacter, "The filename must be UTF-8.");
        // RFC 7578 §4.7: senders do not use it. Ignored, it would make a file of the encoding's characters.
        if (Encoding is { } encoding && encoding.Trim().ToLowerInvariant() is not ("binary" or "8bit" or "7bit"))
            faults.Add(JsonPointer.Member(pointer, "content"), FaultCodes.InvalidValue, "A part of a form has the file as it is, without a Content-Transfer-Encoding.");
    }

    // RFC 6266 §4.3 has filename* ahead of filename. RFC 7578 §4.2 would have filename alone, in UTF-8; some clients write both.
    private static string? FilenameOf(ContentDispositionHeaderValue disposition) =>
        disposition.FileNameStar is { HasValue: true } extended ? extended.ToString()
        : disposition.FileName is { HasValue: true } name ? Unescape(name.ToString())
        : null;

    // RFC 9110 §5.6.4: within quotes, a backslash makes the next character stand for itself. The quotes are gone already.
    private static string Unescape(string name) => name.Contains('\\', StringComparison.Ordinal) ? HeaderUtilities.UnescapeAsQuotedString($"\"{name}\"").ToString() : name;

    private static string? Field(MultipartSection part, string name) => part.Headers?.TryGetValue(name, out var values) == true ? values.ToString() : null;
}
