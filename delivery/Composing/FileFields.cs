using System.Net.Http.Headers;
using MimeKit;

namespace MoxApi.Delivery.Composing;

/// <summary>What the header fields of a file's part may say. Who takes files in asks here, so that what was taken can be composed.</summary>
public static class FileFields
{
    private const int MaxMediaType = 255;
    private const int MaxContentId = 128;

    // Of atoms (RFC 5322 §3.2.3), what stands in a cid: URL without escapes (RFC 2392 §2), which not all who write HTML and not all who read it would think of.
    private const string ContentIdPunctuation = "!$&'*+-/=_~";

    /// <summary>Why a text is no media type of a file, as a sentence; null where it is one.</summary>
    public static string? MediaTypeFault(string text)
    {
        if (text.Length > MaxMediaType) return $"A media type has at most {MaxMediaType} characters.";
        // RFC 2045 §5.1. The grammar of HTTP (RFC 9110 §8.3.1) is the same but for comments; MimeKit, which writes it, reads more.
        if (text.AsSpan().ContainsAnyExceptInRange(' ', '~') || !MediaTypeHeaderValue.TryParse(text, out _) || !ContentType.TryParse(text, out var type)
            || !IsMediaName(type.MediaType) || !IsMediaName(type.MediaSubtype))
            return "A media type is such as application/pdf, perhaps with parameters.";
        // RFC 2046 §5.1, §5.2.1: these are made up of parts, and must not be encoded in base64 as files are.
        return type.IsMimeType("multipart", "*") || type.IsMimeType("message", "*") ? "A file is not multipart or message; send it as application/octet-stream." : null;
    }

    /// <summary>Why a text is no content id, without its angle brackets, as a sentence; null where it is one.</summary>
    public static string? ContentIdFault(string text) =>
        text.Length <= MaxContentId && text.Split('@') is { Length: <= 2 } sides && sides.All(IsDotAtom)
            ? null
            : $"A content id has 1 to {MaxContentId} ASCII letters, digits and characters of {ContentIdPunctuation}, with single dots between them, and perhaps one @ as an address has it.";

    // RFC 5322 §3.2.3.
    private static bool IsDotAtom(string text) =>
        text.Split('.').All(atom => atom.Length > 0 && atom.All(each => char.IsAsciiLetterOrDigit(each) || ContentIdPunctuation.Contains(each, StringComparison.Ordinal)));

    // RFC 6838 §4.2 restricted-name.
    private static bool IsMediaName(string name) =>
        name.Length > 0 && char.IsAsciiLetterOrDigit(name[0]) && name.All(each => char.IsAsciiLetterOrDigit(each) || "!#$&-^_.+".Contains(each, StringComparison.Ordinal));
}
