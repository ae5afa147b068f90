using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using System.Text.Unicode;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Json;

/// <summary>Reads and parses the JSON body of a request.</summary>
internal static class JsonBody
{
    /// <summary>JSON nested deeper is refused. No request of the contract needs more than 4.</summary>
    public const int MaxDepth = 16;

    /// <summary>The octets of an ordinary body.</summary>
    private const int MaxLength = 256 * 1024;

    private static readonly JsonDocumentOptions Strict = new() { MaxDepth = MaxDepth, AllowTrailingCommas = false, CommentHandling = JsonCommentHandling.Disallow };

    /// <summary>Reads an ordinary, small body as a request of the contract.</summary>
    /// <exception cref="RefusalException">The body is too large or no JSON.</exception>
    public static async Task<T> ReadAsync<T>(HttpRequest request, Faults faults, CancellationToken cancellationToken) where T : class
    {
        RequireJson(request);
        if (request.ContentLength > MaxLength) throw TooLong();
        var result = await request.BodyReader.ReadAtLeastAsync(MaxLength + 1, cancellationToken);
        var body = result.Buffer.ToArray();
        request.BodyReader.AdvanceTo(result.Buffer.End);
        if (body.Length > MaxLength) throw TooLong();
        using var document = Parse(body);
        return RequestBinder.Bind<T>(document.RootElement, faults);
    }

    /// <summary>Reads a body as <see cref="ReadAsync"/> does, where there is one.</summary>
    public static async Task<T?> ReadOptionalAsync<T>(HttpRequest request, Faults faults, CancellationToken cancellationToken) where T : class =>
        request.HttpContext.Features.Get<IHttpRequestBodyDetectionFeature>() is { CanHaveBody: false } ? null : await ReadAsync<T>(request, faults, cancellationToken);

    /// <exception cref="RefusalException">The body is said to be of another type, in another charset, or encoded.</exception>
    public static void RequireJson(HttpRequest request)
    {
        if (!request.HasJsonContentType()) throw Unsupported("The body must be of the type application/json.");
        // RFC 8259 §8.1, §11: JSON is UTF-8 and has no parameter charset. Who names another charset would be misread.
        if (MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && HeaderUtilities.RemoveQuotes(type.Charset) is { Length: > 0 } charset
            && !charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) && !charset.Equals("us-ascii", StringComparison.OrdinalIgnoreCase))
            throw Unsupported("The body must be in UTF-8, and so must its charset.");
        RequireUncoded(request);
    }

    /// <exception cref="RefusalException">The body is said to be compressed.</exception>
    public static void RequireUncoded(HttpRequest request)
    {
        // RFC 9110 §8.4: who does not undo a coding has not the data that the media type speaks of.
        if (request.Headers.GetCommaSeparatedValues(HeaderNames.ContentEncoding).Any(coding => !coding.Equals("identity", StringComparison.OrdinalIgnoreCase)))
            throw Unsupported("The body must come as it is, without a Content-Encoding such as gzip.");
    }

    private static RefusalException TooLong() => new(Refusal.TooLarge($"The body has at most {MaxLength / 1024} KiB."));

    /// <summary>Parses a whole body.</summary>
    /// <param name="text">What to parse; it must not change while the document is in use.</param>
    /// <param name="position">Where an octet of the text is in the request's body, if not at the same place.</param>
    /// <exception cref="RefusalException">It is no JSON, or no UTF-8.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> text, Func<int, long>? position = null)
    {
        position ??= static offset => offset;
        if (text.Length == 0) throw new RefusalException(Invalid(1, 1, "The body is empty."));
        // RFC 8259 §8.1: UTF-8 only. The parser looks at this no earlier than at each text's use.
        if (!Utf8.IsValid(text.Span)) throw new RefusalException(Invalid(text.Span, FirstInvalid(text.Span), position, "Not UTF-8."));
        try
        {
            return JsonDocument.Parse(text, Strict);
        }
        catch (JsonException fault)
        {
            var offset = LineStart(text.Span, (int)(fault.LineNumber ?? 0)) + (int)(fault.BytePositionInLine ?? 0);
            throw new RefusalException(Invalid(text.Span, Math.Min(offset, text.Length), position, Reason(fault)));
        }
    }

    /// <summary>The answer to a body that is no JSON.</summary>
    /// <param name="line">The line of the fault, from 1.</param>
    /// <param name="column">The octet of the fault in its line, from 1.</param>
    /// <param name="reason">What is wrong there, a sentence.</param>
    public static Refusal Invalid(long line, long column, string reason) =>
        new(StatusCodes.Status400BadRequest, ErrorCodes.InvalidJson, "The body is no valid JSON.")
        {
            Errors =
            [
                new Fault
                {
                    Pointer = "",
                    Code = FaultCodes.InvalidJson,
                    Detail = string.Create(CultureInfo.InvariantCulture, $"Line {line}, byte {column}: {reason}"),
                },
            ],
        };

    private static RefusalException Unsupported(string title) => new(new(StatusCodes.Status415UnsupportedMediaType, ErrorCodes.UnsupportedMediaType, title));

    private static Refusal Invalid(ReadOnlySpan<byte> text, int offset, Func<int, long> position, string reason)
    {
        var lineStart = text[..offset].LastIndexOf((byte)'\n') + 1;
        return Invalid(text[..offset].Count((byte)'\n') + 1, position(offset) - position(lineStart) + 1, reason);
    }

    private static int LineStart(ReadOnlySpan<byte> text, int line)
    {
        var start = 0;
        for (; line > 0; line--) start += text[start..].IndexOf((byte)'\n') + 1;
        return start;
    }

    private static int FirstInvalid(ReadOnlySpan<byte> text)
    {
        var offset = 0;
        while (Rune.DecodeFromUtf8(text[offset..], out _, out var length) == OperationStatus.Done) offset += length;
        return offset;
    }

    // The parser's message ends in a position that counts otherwise.
    private static string Reason(JsonException fault) => fault.Message.Split(" LineNumber:")[0].Trim();
}
