using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary><c>/v1/webhooks</c>.</summary>
internal static class WebhookEndpoints
{
    public static void MapWebhooks(this IEndpointRouteBuilder v1)
    {
        var webhooks = v1.MapGroup("/webhooks").WithTags("Webhooks").RequireAuthorization(Scopes.Webhooks);
        webhooks.MapPost("", CreateAsync).WithName("CreateWebhook").Accepts<CreateWebhookRequest>("application/json")
            .Refuses(400, 401, 403, 413, 415, 422, 429);
        webhooks.MapGet("", ListAsync).WithName("ListWebhooks").Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 422, 429);
        webhooks.MapGet("/{id}", FindAsync).WithName("GetWebhook").Produces<Webhook>().Refuses(401, 403, 404, 429);
        webhooks.MapPatch("/{id}", UpdateAsync).WithName("UpdateWebhook").Accepts<UpdateWebhookRequest>("application/json").Produces<Webhook>()
            .Refuses(400, 401, 403, 404, 413, 415, 422, 429);
        webhooks.MapDelete("/{id}", DeleteAsync).WithName("DeleteWebhook").Produces(204).Refuses(401, 403, 404, 429);
        webhooks.MapPost("/{id}/rotate-secret", RotateSecretAsync).WithName("RotateWebhookSecret")
            .Accepts<RotateWebhookSecretRequest>(isOptional: true, "application/json").Produces<RotatedWebhookSecret>().Refuses(400, 401, 403, 404, 413, 415, 422, 429);
        webhooks.MapPost("/{id}/test", TestAsync).WithName("TestWebhook").Produces<WebhookDelivery>(202).Refuses(401, 403, 404, 429);
        webhooks.MapDeliveries();
    }

    /// <summary>Add a webhook</summary>
    /// <remarks>
    /// Events are posted to its address from now on, signed with the secret in the answer as Standard Webhooks has it, and tried again for three
    /// days where the address does not answer with a 2xx status. Addresses that are not public are refused when they are connected to.
    /// </remarks>
    /// <response code="201">The webhook, with its secret: it is not shown again.</response>
    private static async Task<Created<CreatedWebhook>> CreateAsync(
        HttpContext http, IWebhooks webhooks, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<CreateWebhookRequest>(http.Request, faults, cancellationToken);
        WebhookRules.Check(request, options.Value.AllowHttpWebhooks || request.AllowPrivate == true, faults);
        faults.ThrowIfAny();
        if (request.AllowPrivate == true && !http.Caller().IsAdmin)
            throw new RefusalException(new(StatusCodes.Status403Forbidden, ErrorCodes.MissingScope, "To allow addresses that are not public takes the scope \"admin\"."));
        var webhook = await webhooks.CreateAsync(http.Caller(), request, cancellationToken);
        return TypedResults.Created($"/v1/webhooks/{webhook.Id}", webhook);
    }

    /// <summary>List webhooks</summary>
    /// <remarks>The account's webhooks, newest first.</remarks>
    /// <response code="200">A page of webhooks.</response>
    private static async Task<Ok<Page<Webhook>>> ListAsync(HttpContext http, IWebhooks webhooks, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(PublicIdKind.WebhookEndpoint));
        return TypedResults.Ok(await webhooks.ListAsync(http.Caller(), page, cancellationToken));
    }

    /// <summary>Read a webhook</summary>
    /// <remarks>The webhook without its secret. An admin reads, changes and removes those of any account.</remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="200">The webhook.</response>
    private static async Task<IResult> FindAsync(string id, HttpContext http, IWebhooks webhooks, CancellationToken cancellationToken) =>
        await webhooks.FindAsync(http.Caller(), id, cancellationToken) is { } webhook ? TypedResults.Ok(webhook) : Refusal.NotFound;

    /// <summary>Change a webhook</summary>
    /// <remarks>
    /// Changes what the request names and leaves the rest. A webhook that was disabled, by this or because it kept failing or answered 410, is enabled again
    /// with <c>{"disabled": false}</c>; what failed can be replayed then. One with <c>allowPrivate</c> is moved by an admin only, as only an admin makes one so.
    /// </remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="200">The webhook as it is now.</response>
    private static async Task<IResult> UpdateAsync(
        string id, HttpContext http, IWebhooks webhooks, IOptions<ApiOptions> options, CancellationToken cancellationToken)
    {
        if (await webhooks.FindAsync(http.Caller(), id, cancellationToken) is not { } webhook) return Refusal.NotFound;
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<UpdateWebhookRequest>(http.Request, faults, cancellationToken);
        while (true)
        {
            RequireAllowed(webhook, request, http.Caller(), options.Value, faults);
            if (await webhooks.UpdateAsync(http.Caller(), id, request, webhook, cancellationToken) is { } changed) return TypedResults.Ok(changed);
            // Somebody else moved it meanwhile: what was allowed is looked at again.
            if (await webhooks.FindAsync(http.Caller(), id, cancellationToken) is not { } now) return Refusal.NotFound;
            webhook = now;
        }
    }

    private static void RequireAllowed(Webhook webhook, UpdateWebhookRequest request, Caller caller, ApiOptions options, Faults faults)
    {
        var allowPrivate = request.AllowPrivate ?? webhook.AllowPrivate;
        // An address that may be without TLS because it may be private is looked at again when it may not any more.
        WebhookRules.Check(allowPrivate ? request : request with { Url = request.Url ?? webhook.Url }, options.AllowHttpWebhooks || allowPrivate, faults);
        faults.ThrowIfAny();
        // An admin's leave to call what is not public was for the address it had.
        var moved = request.Url is not null && request.Url != webhook.Url;
        if (allowPrivate && (moved || !webhook.AllowPrivate) && !caller.IsAdmin)
            throw new RefusalException(new(StatusCodes.Status403Forbidden, ErrorCodes.MissingScope, "A webhook that may be at an address that is not public takes the scope \"admin\"."));
    }

    /// <summary>Remove a webhook</summary>
    /// <remarks>What was still to be posted to it is dropped, and its deliveries cannot be read any more.</remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="204">The webhook is gone.</response>
    private static async Task<IResult> DeleteAsync(string id, HttpContext http, IWebhooks webhooks, CancellationToken cancellationToken) =>
        await webhooks.DeleteAsync(http.Caller(), id, cancellationToken) ? TypedResults.NoContent() : Refusal.NotFound;

    /// <summary>Rotate a webhook's secret</summary>
    /// <remarks>
    /// Makes a new secret. For the time of the overlap what is posted is signed with both, so receivers can change over without losing an event: the header
    /// <c>webhook-signature</c> has the two signatures, separated by a space. Of two rotations within one overlap, the second ends the oldest secret.
    /// </remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="200">The new secret: it is not shown again.</response>
    private static async Task<IResult> RotateSecretAsync(string id, HttpContext http, IWebhooks webhooks, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadOptionalAsync<RotateWebhookSecretRequest>(http.Request, faults, cancellationToken);
        var overlap = WebhookRules.Overlap(request, faults);
        faults.ThrowIfAny();
        return await webhooks.RotateSecretAsync(http.Caller(), id, overlap, cancellationToken) is { } rotated ? TypedResults.Ok(rotated) : Refusal.NotFound;
    }

    /// <summary>Test a webhook</summary>
    /// <remarks>
    /// Posts an event <c>webhook.test</c> to this webhook alone, whatever events it wants, once, and also while it is disabled. The delivery tells what came of it.
    /// </remarks>
    /// <param name="id" example="whk_w7ntqa5zvymkvyh74xcw5jwsme">The webhook's id.</param>
    /// <response code="202">The test is queued. Location has the delivery's address.</response>
    private static async Task<IResult> TestAsync(string id, HttpContext http, IWebhooks webhooks, CancellationToken cancellationToken) =>
        await webhooks.TestAsync(http.Caller(), id, cancellationToken) is { } delivery
            ? TypedResults.Accepted($"/v1/webhooks/{id}/deliveries/{delivery.Id}", delivery)
            : Refusal.NotFound;
}
