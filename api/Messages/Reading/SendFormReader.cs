using System.Globalization;
using System.IO.Pipelines;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Net.Http.Headers;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Reading;

/// <summary>
/// Reads a send that comes as a form (RFC 7578): the message's JSON in the part <c>message</c>, files in parts <c>attachment</c>, in any order. Its files
/// are as if they followed those in the JSON, so faults of a part are named by the pointer that it would have there. Files go into the spool as they arrive.
/// </summary>
internal static class SendFormReader
{
    public const string MediaType = "multipart/form-data";
    public const string MessagePart = "message";
    public const string AttachmentPart = "attachment";

    // RFC 2046 §5.1.1.
    private const int MaxBoundary = 70;

    private const int BufferSize = 32 * 1024;
    private const int MaxPartHeaders = 16;
    private const int MaxPartHeaderOctets = 8 * 1024;

    /// <summary>Whether the body of a request is said to be a form.</summary>
    public static bool IsForm(HttpRequest request) => MediaTypeHeaderValue.TryParse(request.ContentType, out var type) && type.MediaType.Equals(MediaType, StringComparison.OrdinalIgnoreCase);

    /// <summary>Reads a request; what does not fit the contract is added to <paramref name="faults"/>.</summary>
    /// <param name="request">The request.</param>
    /// <param name="spool">Where the files go. They can be read while it lives.</param>
    /// <param name="faults">Collects the faults.</param>
    /// <param name="cancellationToken">Ends the reading.</param>
    /// <exception cref="RefusalException">The body is too large or no form, the message no JSON, or the files cannot be kept.</exception>
    public static async Task<SendRequest> ReadAsync(HttpRequest request, AttachmentSpool spool, Faults faults, CancellationToken cancellationToken)
    {
        var form = new MultipartReader(Boundary(request), request.Body, BufferSize) { HeadersCountLimit = MaxPartHeaders, HeadersLengthLimit = MaxPartHeaderOctets };
        using var content = new SpoolWriter(spool);
        SendRequest? message = null;
        var attachments = new List<FormFile>();
        try
        {
            while (await form.ReadNextSectionAsync(cancellationToken) is { } part)
            {
                switch (NameOf(part))
                {
                    case MessagePart when message is null:
                        message = await SendRequestReader.ReadAsync(PipeReader.Create(part.Body), spool, faults, cancellationToken);
                        break;
                    case AttachmentPart when attachments.Count < ScannedFiles.Max:
                        attachments.Add(FormFile.Of(part, await content.WriteAsync(part.Body, cancellationToken)));
                        break;
                    case var name:
                        AddFault(name, faults);
                        // With so many the form is read no further.
                        if (faults.Full) faults.ThrowIfAny();
                        break;
                }
            }
        }
        catch (Exception fault) when (fault is InvalidDataException or IOException and not (BadHttpRequestException or NoRoomException))
        {
            throw new RefusalException(new(StatusCodes.Status400BadRequest, ErrorCodes.BadRequest, "The body is no valid multipart/form-data: it is cut off, or a part's header is too long or none."));
        }
        if (message is null) faults.AddParameter(MessagePart, FaultCodes.Required, "The form needs a part \"message\" with the message in JSON.");
        return Join(message ?? new SendRequest(new SendMessageRequest(), []), attachments, faults);
    }

    private static string Boundary(HttpRequest request)
    {
        var boundary = HeaderUtilities.RemoveQuotes(MediaTypeHeaderValue.Parse(request.ContentType).Boundary);
        return boundary.Length is > 0 and <= MaxBoundary
            ? boundary.ToString()
            : throw new RefusalException(new(StatusCodes.Status400BadRequest, ErrorCodes.BadRequest, $"The media type needs a boundary of 1 to {MaxBoundary} characters."));
    }

    private static string? NameOf(MultipartSection part) =>
        ContentDispositionHeaderValue.TryParse(part.ContentDisposition, out var disposition) && disposition.DispositionType.Equals("form-data", StringComparison.OrdinalIgnoreCase)
            ? HeaderUtilities.RemoveQuotes(disposition.Name).ToString()
            : null;

    private static void AddFault(string? name, Faults faults)
    {
        switch (name)
        {
            case null:
                faults.AddParameter(HeaderNames.ContentDisposition, FaultCodes.InvalidHeader, "A part has a header field Content-Disposition: form-data with a name.");
                break;
            case MessagePart:
                faults.AddParameter(MessagePart, FaultCodes.DuplicateField, "The part \"message\" occurs twice.");
                break;
            case AttachmentPart:
                faults.AddParameter(AttachmentPart, FaultCodes.TooMany, $"There are at most {ScannedFiles.Max} attachments.");
                break;
            default:
                faults.AddParameter(JsonPointer.Shorten(name), FaultCodes.UnknownField, "There is no such part; a form has \"message\" and \"attachment\".");
                break;
        }
    }

    private static SendRequest Join(SendRequest message, List<FormFile> parts, Faults faults)
    {
        var (request, files) = message;
        var attachments = new List<SendAttachment>(request.Attachments ?? []);
        foreach (var part in parts)
        {
            part.Check(JsonPointer.Item("/attachments", attachments.Count), faults);
            var number = files.Count + attachments.Count - (request.Attachments?.Count ?? 0);
            attachments.Add(new SendAttachment
            {
                Filename = part.Filename ?? "",
                ContentType = part.ContentType,
                ContentId = part.ContentId,
                Content = number.ToString(CultureInfo.InvariantCulture),
            });
        }
        return new SendRequest(attachments.Count == 0 ? request : request with { Attachments = attachments }, [.. files, .. parts.Select(part => part.Content)]);
    }
}
