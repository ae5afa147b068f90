using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages;

/// <summary>The sends of <c>/v1/messages</c>.</summary>
internal static class SendEndpoints
{
    public static void MapSends(this IEndpointRouteBuilder messages)
    {
        var limit = new RequestSizeLimitAttribute(SendBodyScanner.MaxLength);
        messages.MapPost("", SendAsync).WithName("SendMessage").RequireAuthorization(Scopes.Send)
            .Accepts<SendMessageRequest>("application/json", SendFormReader.MediaType).WithMetadata(limit)
            .Describes(DescribedParameter.IdempotencyKey).Refuses(400, 401, 403, 409, 413, 415, 422, 429);
        messages.MapPost("/batch", SendBatchAsync).WithName("SendMessageBatch").RequireAuthorization(Scopes.Send)
            .Accepts<SendMessageBatchRequest>("application/json").WithMetadata(limit)
            .Describes(DescribedParameter.BatchIdempotencyKey).Refuses(400, 401, 403, 413, 415, 422, 429);
    }

    /// <summary>Send a message</summary>
    /// <remarks>
    /// Composes, signs and stores the message, and answers once it is stored for good. Delivery follows at once, or at `sendAt`; what becomes of each
    /// recipient is told by webhooks and by the message's events. An address on the suppression list is not tried; the answer shows it as suppressed.
    ///
    /// As `multipart/form-data`, the part `message` has the same JSON, and each part `attachment` a file as it is, with its own file name, Content-Type and,
    /// to show it in the HTML, Content-ID. These files follow those of the JSON, and faults count on from them: `/attachments/0` is the first.
    /// </remarks>
    /// <response code="202">The message was accepted. Location has its address.</response>
    private static async Task<Accepted<SendMessageResponse>> SendAsync(
        HttpContext http, IMessages messages, IOptions<ApiOptions> options, BytesInFlight inFlight, TimeProvider time, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var key = IdempotencyKey.Read(http.Request.Headers, faults);
        using var spool = OpenSpool(http.Request, options.Value, inFlight);
        var request = await ReadAsync(http.Request, spool, faults, cancellationToken);
        var message = MessageRules.Apply(request, time.GetUtcNow(), faults);
        if (faults.Any) await messages.CheckSenderAsync(http.Caller(), message.From, faults, cancellationToken);
        faults.ThrowIfAny();
        var answer = await messages.SendAsync(http.Caller(), message, key, cancellationToken);
        return TypedResults.Accepted($"/v1/messages/{answer.Id}", answer);
    }

    /// <summary>Send a batch of messages</summary>
    /// <remarks>
    /// Sends up to 500 messages, each as if it were sent alone, and answers with a result for each, in their order: one that is refused stops none of the
    /// others. The request has at most 70 MiB, and 20 MiB without the content of attachments.
    ///
    /// With an `Idempotency-Key`, each message has a key of its own, made of the batch's and the message's number. Sent again, also after a timeout or a
    /// crash in the middle, the batch gives the first answer again for the messages that were accepted, and sends the others, so that each is sent once.
    /// </remarks>
    /// <response code="200">The results, whatever they are.</response>
    private static async Task<Ok<SendMessageBatchResponse>> SendBatchAsync(
        HttpContext http, MessageBatch batches, IOptions<ApiOptions> options, BytesInFlight inFlight, CancellationToken cancellationToken)
    {
        JsonBody.RequireJson(http.Request);
        var faults = new Faults();
        var key = IdempotencyKey.Read(http.Request.Headers, faults);
        using var spool = OpenSpool(http.Request, options.Value, inFlight);
        using var batch = await SendBatchReader.ReadAsync(http.Request.BodyReader, spool, faults, cancellationToken);
        if (faults.Any) await batches.CheckAsync(http.Caller(), batch, faults, cancellationToken);
        faults.ThrowIfAny();
        return TypedResults.Ok(await batches.SendAsync(http, batch, key, cancellationToken));
    }

    private static AttachmentSpool OpenSpool(HttpRequest request, ApiOptions options, BytesInFlight inFlight)
    {
        // Better now than after the client has sent it all. What is too large at any time is not told to come back later.
        if (request.ContentLength > SendBodyScanner.MaxLength) throw new RefusalException(SendBodyScanner.TooLong);
        if (!inFlight.HasRoomFor(request.ContentLength ?? 0)) throw new RefusalException(Refusal.Unavailable);
        return new AttachmentSpool(options.SpoolFolder ?? Path.GetTempPath(), inFlight.Open());
    }

    private static Task<SendRequest> ReadAsync(HttpRequest request, AttachmentSpool spool, Faults faults, CancellationToken cancellationToken)
    {
        if (SendFormReader.IsForm(request))
        {
            FormOrigin.Require(request);
            JsonBody.RequireUncoded(request);
            return SendFormReader.ReadAsync(request, spool, faults, cancellationToken);
        }
        JsonBody.RequireJson(request);
        return SendRequestReader.ReadAsync(request.BodyReader, spool, faults, cancellationToken);
    }
}
