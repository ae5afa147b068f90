using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary><c>/v1/webhooks/{id}/deliveries</c>, and their replay.</summary>
internal static class DeliveryEndpoints
{
    public static void MapDeliveries(this IEndpointRouteBuilder webhooks)
    {
        webhooks.MapGet("/{id}/deliveries", ListAsync).WithName("ListWebhookDeliveries").Produces<Page<WebhookDelivery>>()
            .Describes([.. DeliveryFilters.Described, .. DescribedParameter.Paging]).Refuses(400, 401, 403, 404, 422, 429);
        webhooks.MapGet("/{id}/deliveries/{deliveryId}", FindAsync).WithName("GetWebhookDelivery").Produces<WebhookDeliveryDetail>().Refuses(401, 403, 404, 429);
        webhooks.MapPost("/{id}/deliveries/{deliveryId}/replay", ReplayAsync).WithName("ReplayWebhookDelivery").Produces<WebhookDelivery>(202)
            .Refuses(401, 403, 404, 409, 429);
        webhooks.MapPost("/{id}/replay", ReplayFailedAsync).WithName("ReplayWebhook").Accepts<ReplayWebhookRequest>("application/json").Produces<ReplayedWebhook>(202)
            .Refuses(400, 401, 403, 404, 409, 413, 415, 422, 429);
    }

    /// <summary>List a webhook's deliveries</summary>
    /// <remarks>What was posted to the webhook, or is to be, and what came of it; newest first.</remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="200">A page of deliveries.</response>
    private static async Task<IResult> ListAsync(string id, HttpContext http, IWebhookDeliveries deliveries, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(PublicIdKind.WebhookDelivery), faults, DeliveryFilters.Names);
        var filters = DeliveryFilters.Read(http.Request.Query, faults);
        faults.ThrowIfAny();
        return await deliveries.ListAsync(http.Caller(), id, filters, page, cancellationToken) is { } found ? TypedResults.Ok(found) : Refusal.NotFound;
    }

    /// <summary>Read a delivery</summary>
    /// <remarks>The delivery with the request and the answer of its last attempt, of which up to 64 KiB are kept.</remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <param name="deliveryId" example="whd_et2pgnvjxyktsey6awqqcpdvoy">The delivery's id.</param>
    /// <response code="200">The delivery.</response>
    private static async Task<IResult> FindAsync(
        string id, string deliveryId, HttpContext http, IWebhookDeliveries deliveries, CancellationToken cancellationToken) =>
        await deliveries.FindAsync(http.Caller(), id, deliveryId, cancellationToken) is { } delivery ? TypedResults.Ok(delivery) : Refusal.NotFound;

    /// <summary>Replay a delivery</summary>
    /// <remarks>
    /// Posts the event again, whatever became of it, with the same <c>webhook-id</c> and all its attempts anew. A delivery that waits for its next attempt is posted at once.
    /// </remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <param name="deliveryId" example="whd_et2pgnvjxyktsey6awqqcpdvoy">The delivery's id.</param>
    /// <response code="202">The delivery is queued.</response>
    private static async Task<IResult> ReplayAsync(
        string id, string deliveryId, HttpContext http, IWebhookDeliveries deliveries, CancellationToken cancellationToken) =>
        await deliveries.ReplayAsync(http.Caller(), id, deliveryId, cancellationToken) is { } delivery
            ? TypedResults.Accepted($"/v1/webhooks/{id}/deliveries/{deliveryId}", delivery)
            : Refusal.NotFound;

    /// <summary>Replay what failed</summary>
    /// <remarks>Posts again all deliveries that failed and were made since a time, as one is replayed. Tests are left out.</remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="202">How many deliveries are queued.</response>
    private static async Task<IResult> ReplayFailedAsync(string id, HttpContext http, IWebhookDeliveries deliveries, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<ReplayWebhookRequest>(http.Request, faults, cancellationToken);
        faults.ThrowIfAny();
        return await deliveries.ReplayFailedAsync(http.Caller(), id, request.Since, cancellationToken) is { } replayed
            ? TypedResults.Accepted((string?)null, replayed)
            : Refusal.NotFound;
    }
}
