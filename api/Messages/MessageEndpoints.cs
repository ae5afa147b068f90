using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Searching;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Identifiers;
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
        messages.MapSends();
        messages.MapGet("", ListAsync).WithName("ListMessages").RequireAuthorization(Scopes.Read)
            .Describes([.. DescribedFilter.Messages, .. DescribedParameter.Paging]).Refuses(400, 401, 403, 422, 429);
        messages.MapGet("/{id}", FindAsync).WithName("GetMessage").RequireAuthorization(Scopes.Read)
            .Produces<MessageDetail>().Refuses(401, 403, 404, 429);
        messages.MapGet("/{id}/events", EventsAsync).WithName("ListMessageEvents").RequireAuthorization(Scopes.Read)
            .Produces<Page<Event>>().Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 404, 422, 429);
        messages.MapGet("/{id}/raw", RawAsync).WithName("GetMessageRaw").RequireAuthorization(Scopes.Read)
            .Produces<Stream>(200, RawMessage.MediaType).Refuses(401, 403, 404, 410, 429);
        messages.MapGet("/{id}/recipients/{recipientId}/attempts", AttemptsAsync).WithName("ListRecipientAttempts").RequireAuthorization(Scopes.Read)
            .Produces<Page<DeliveryAttempt>>().Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 404, 422, 429);
        messages.MapPost("/{id}/cancel", CancelAsync).WithName("CancelMessage").RequireAuthorization(Scopes.Send)
            .Produces<MessageDetail>().Refuses(401, 403, 404, 409, 429);
        messages.MapPatch("/{id}", RescheduleAsync).WithName("RescheduleMessage").RequireAuthorization(Scopes.Send)
            .Accepts<RescheduleMessageRequest>("application/json").Produces<MessageDetail>().Refuses(400, 401, 403, 404, 409, 413, 415, 422, 429);
    }

    /// <summary>List messages</summary>
    /// <remarks>
    /// The messages that the account sent, newest first: all of them, or those that every filter given is true of. Where a search goes far back, a page
    /// may have fewer entries than asked for, even none, while `hasMore` is true; `next` goes on.
    /// </remarks>
    /// <response code="200">A page of messages.</response>
    private static async Task<Ok<Page<MessageSummary>>> ListAsync(HttpContext http, IMessages messages, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(TimedList.Messages), faults, MessageFilter.Parameters);
        var filter = MessageFilter.Read(http.Request.Query, faults);
        faults.ThrowIfAny();
        return TypedResults.Ok(await messages.ListAsync(http.Caller(), filter, page, cancellationToken));
    }

    /// <summary>Read a message</summary>
    /// <remarks>The message with what became of each recipient, and the whole SMTP conversation of each one's latest attempt.</remarks>
    /// <param name="id" example="msg_nd6d6ufobktiwmfb53p4onpova">The message's id.</param>
    /// <response code="200">The message.</response>
    private static async Task<IResult> FindAsync(string id, HttpContext http, IMessages messages, CancellationToken cancellationToken) =>
        await messages.FindAsync(http.Caller(), id, cancellationToken) is { } message ? TypedResults.Ok(message) : Refusal.NotFound;

    /// <summary>List a message's events</summary>
    /// <remarks>Everything that happened to the message's recipients, newest first: the objects that webhooks post.</remarks>
    /// <param name="id" example="msg_nd6d6ufobktiwmfb53p4onpova">The message's id.</param>
    /// <response code="200">A page of events.</response>
    private static async Task<IResult> EventsAsync(string id, HttpContext http, IMessages messages, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(TimedList.Events));
        return await messages.EventsAsync(http.Caller(), id, page, cancellationToken) is { } events ? TypedResults.Ok(events) : Refusal.NotFound;
    }

    /// <summary>Fetch a message as it was sent</summary>
    /// <remarks>The octets that were signed and are sent to each recipient (RFC 5322), without what is added on the way.</remarks>
    /// <param name="id" example="msg_nd6d6ufobktiwmfb53p4onpova">The message's id.</param>
    /// <response code="200">The message's octets.</response>
    private static async Task<IResult> RawAsync(string id, HttpContext http, IMessages messages, CancellationToken cancellationToken) =>
        await messages.RawAsync(http.Caller(), id, cancellationToken) is { } raw ? raw : Refusal.NotFound;

    /// <summary>List a recipient's attempts</summary>
    /// <remarks>Every attempt to deliver to the recipient, newest first, each with all that the servers said to each other.</remarks>
    /// <param name="id" example="msg_nd6d6ufobktiwmfb53p4onpova">The message's id.</param>
    /// <param name="recipientId" example="rcp_3lgld2rosq52hccm2uejevsmua">The recipient's id.</param>
    /// <response code="200">A page of attempts.</response>
    private static async Task<IResult> AttemptsAsync(string id, string recipientId, HttpContext http, IMessages messages, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(TimedList.Attempts));
        return await messages.AttemptsAsync(http.Caller(), id, recipientId, page, cancellationToken) is { } attempts ? TypedResults.Ok(attempts) : Refusal.NotFound;
    }

    /// <summary>Cancel a message</summary>
    /// <remarks>
    /// Ends the message for each recipient that waits for its time, or for a further attempt. A recipient that a worker has in hand just now is left
    /// alone, and shown as it is; ask again to cancel it if it is delayed. A test key finds tests alone, any other key none of them, and a key that is limited
    /// to domains what was sent from these.
    /// </remarks>
    /// <param name="id" example="msg_nd6d6ufobktiwmfb53p4onpova">The message's id.</param>
    /// <response code="200">The message; at least one recipient was canceled.</response>
    private static async Task<IResult> CancelAsync(string id, HttpContext http, IMessages messages, IScheduledMessages scheduled, CancellationToken cancellationToken) =>
        await scheduled.CancelAsync(http.Caller(), id, cancellationToken) ? await FindAsync(id, http, messages, cancellationToken) : Refusal.NotFound;

    /// <summary>Reschedule a message</summary>
    /// <remarks>
    /// Gives a message that was sent with `sendAt` another time, for each recipient that was not tried yet. A past time sends it at once. Which messages a key
    /// finds is as for canceling.
    /// </remarks>
    /// <param name="id" example="msg_nd6d6ufobktiwmfb53p4onpova">The message's id.</param>
    /// <response code="200">The message; at least one recipient has the new time.</response>
    private static async Task<IResult> RescheduleAsync(string id, HttpContext http, IMessages messages, IScheduledMessages scheduled, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<RescheduleMessageRequest>(http.Request, faults, cancellationToken);
        faults.ThrowIfAny();
        return await scheduled.RescheduleAsync(http.Caller(), id, request.SendAt, cancellationToken) ? await FindAsync(id, http, messages, cancellationToken) : Refusal.NotFound;
    }
}
