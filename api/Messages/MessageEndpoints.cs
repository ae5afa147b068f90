using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.Extensions.Options;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Reading;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages;

/// <summary><c>/v1/messages</c>.</summary>
internal static class MessageEndpoints
{
    public static void MapMessages(this IEndpointRouteBuilder v1)
    {
        var messages = v1.MapGroup("/messages").WithTags("Messages");
        messages.MapPost("", SendAsync).WithName("SendMessage").RequireAuthorization(Scopes.Send)
            .Accepts<SendMessageRequest>("application/json").WithMetadata(new RequestSizeLimitAttribute(SendRequestReader.MaxLength))
            .Describes(DescribedParameter.IdempotencyKey).Refuses(400, 401, 403, 409, 413, 415, 422, 429, 503);
        messages.MapGet("", ListAsync).WithName("ListMessages").RequireAuthorization(Scopes.Read)
            .Describes(DescribedParameter.Paging).Refuses(401, 403, 422, 429);
        messages.MapGet("/{id}", FindAsync).WithName("GetMessage").RequireAuthorization(Scopes.Read)
            .Produces<MessageDetail>().Refuses(401, 403, 404, 429);
        messages.MapGet("/{id}/events", EventsAsync).WithName("ListMessageEvents").RequireAuthorization(Scopes.Read)
            .Produces<Page<Event>>().Describes(DescribedParameter.Paging).Refuses(401, 403, 404, 422, 429);
        messages.MapGet("/{id}/raw", RawAsync).WithName("GetMessageRaw").RequireAuthorization(Scopes.Read)
            .Produces<Stream>(200, RawMessage.MediaType).Refuses(401, 403, 404, 429);
    }

    /// <summary>Send a message</summary>
    /// <remarks>
    /// Composes, signs and stores the message, and answers once it is stored for good. Delivery follows at once; what becomes of each recipient is
    /// told by webhooks and by the message's events. An address on the suppression list is not tried; the answer shows it as suppressed.
    /// </remarks>
    /// <response code="202">The message was accepted. Location has its address.</response>
    private static async Task<Accepted<SendMessageResponse>> SendAsync(
        HttpContext http, IMessages messages, IOptions<ApiOptions> options, BytesInFlight inFlight, CancellationToken cancellationToken)
    {
        JsonBody.RequireJson(http.Request);
        // Better now than after the client has sent it all.
        if (!inFlight.HasRoomFor(http.Request.ContentLength ?? 0)) throw new RefusalException(Refusal.Unavailable);
        var faults = new Faults();
        var key = IdempotencyKey.Read(http.Request.Headers, faults);
        using var spool = new AttachmentSpool(options.Value.SpoolFolder ?? Path.GetTempPath(), inFlight.Open());
        var request = await SendRequestReader.ReadAsync(http.Request.BodyReader, spool, faults, cancellationToken);
        var message = MessageRules.Apply(request, faults);
        faults.ThrowIfAny();
        var answer = await messages.SendAsync(http.Caller(), message, key, cancellationToken);
        return TypedResults.Accepted($"/v1/messages/{answer.Id}", answer);
    }

    /// <summary>List messages</summary>
    /// <remarks>The account's messages, newest first.</remarks>
    /// <response code="200">A page of messages.</response>
    private static async Task<Ok<Page<MessageSummary>>> ListAsync(HttpContext http, IMessages messages, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query);
        return TypedResults.Ok(await messages.ListAsync(http.Caller(), page, cancellationToken));
    }

    /// <summary>Read a message</summary>
    /// <remarks>The message with what became of each recipient, and the whole SMTP conversation of each one's latest attempt.</remarks>
    /// <param name="id" example="msg_7h2k9m4x1q8r5t3w">The message's id.</param>
    /// <response code="200">The message.</response>
    private static async Task<IResult> FindAsync(string id, HttpContext http, IMessages messages, CancellationToken cancellationToken) =>
        await messages.FindAsync(http.Caller(), id, cancellationToken) is { } message ? TypedResults.Ok(message) : Refusal.NotFound;

    /// <summary>List a message's events</summary>
    /// <remarks>Everything that happened to the message's recipients, newest first: the objects that webhooks post.</remarks>
    /// <param name="id" example="msg_7h2k9m4x1q8r5t3w">The message's id.</param>
    /// <response code="200">A page of events.</response>
    private static async Task<IResult> EventsAsync(string id, HttpContext http, IMessages messages, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query);
        return await messages.EventsAsync(http.Caller(), id, page, cancellationToken) is { } events ? TypedResults.Ok(events) : Refusal.NotFound;
    }

    /// <summary>Fetch a message as it was sent</summary>
    /// <remarks>The octets that were signed and are sent to each recipient (RFC 5322), without what is added on the way.</remarks>
    /// <param name="id" example="msg_7h2k9m4x1q8r5t3w">The message's id.</param>
    /// <response code="200">The message's octets.</response>
    private static async Task<IResult> RawAsync(string id, HttpContext http, IMessages messages, CancellationToken cancellationToken) =>
        await messages.RawAsync(http.Caller(), id, cancellationToken) is { } raw ? raw : Refusal.NotFound;
}
