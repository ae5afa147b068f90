using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Received;

namespace MoxApi.Api.Received;

/// <summary><c>/v1/received</c>.</summary>
internal static class ReceivedEndpoints
{
    public static void MapReceived(this IEndpointRouteBuilder v1)
    {
        var received = v1.MapGroup("/received").WithTags("Received").RequireAuthorization(Scopes.Read);
        received.MapGet("", ListAsync).WithName("ListReceived").Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 422, 429);
        received.MapGet("/{id}/raw", RawAsync).WithName("GetReceivedRaw").Produces<Stream>(200, RawMessage.MediaType).Refuses(401, 403, 404, 429);
    }

    /// <summary>List messages that arrived</summary>
    /// <remarks>What arrived in the account's Inbox, newest first. In the local sandbox that is every message sent.</remarks>
    /// <response code="200">A page of messages.</response>
    private static async Task<Ok<Page<ReceivedMessage>>> ListAsync(HttpContext http, IReceivedMessages received, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(TimedList.Received));
        return TypedResults.Ok(await received.ListAsync(http.Caller(), page, cancellationToken));
    }

    /// <summary>Fetch a message as it arrived</summary>
    /// <remarks>The octets that came, behind the trace fields that were added on arrival (RFC 5321 §4.4).</remarks>
    /// <param name="id" example="msg_k6dbv64vtrxiij4cfdzh6mm26u">The message's id.</param>
    /// <response code="200">The message's octets.</response>
    private static async Task<IResult> RawAsync(string id, HttpContext http, IReceivedMessages received, CancellationToken cancellationToken) =>
        await received.RawAsync(http.Caller(), id, cancellationToken) is { } raw ? raw : Refusal.NotFound;
}
