using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Domains;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Domains;

/// <summary><c>/v1/domains/{id}/dkim-keys</c>.</summary>
internal static class DkimKeyEndpoints
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromDays(366);

    public static void MapDkimKeys(this IEndpointRouteBuilder v1)
    {
        var keys = v1.MapGroup("/domains/{id}/dkim-keys").WithTags("Domains");
        keys.MapPost("", CreateAsync).WithName("CreateDkimKeys").RequireAuthorization(Scopes.Admin).Produces<DomainDetail>(201)
            .Accepts<CreateDkimKeysRequest>("application/json").Refuses(400, 401, 403, 404, 409, 413, 415, 422, 429);
        keys.MapGet("", ListAsync).WithName("ListDkimKeys").RequireAuthorization(Scopes.Read).Produces<DkimKeyList>().Refuses(401, 403, 404, 429);
        keys.MapPost("/activate", ActivateAsync).WithName("ActivateDkimKeys").RequireAuthorization(Scopes.Admin).Produces<DomainDetail>().Refuses(401, 403, 404, 409, 429);
        keys.MapPost("/{selector}/retire", RetireAsync).WithName("RetireDkimKey").RequireAuthorization(Scopes.Admin).Produces<DomainDetail>().Refuses(401, 403, 404, 409, 429);
        keys.MapDelete("/{selector}", DeleteAsync).WithName("DeleteDkimKey").RequireAuthorization(Scopes.Admin).Produces(204).Refuses(401, 403, 404, 409, 429);
    }

    /// <summary>Make new DKIM keys</summary>
    /// <remarks>
    /// The first step of a rotation: a pair of keys that sign nothing yet. Publish their records, wait until resolvers know them, then activate them; or name the
    /// time to do so.
    /// </remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="201">The domain with the new keys and all records to publish.</response>
    private static async Task<IResult> CreateAsync(string id, HttpContext http, StoredDkimKeys keys, DomainView view, TimeProvider time, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<CreateDkimKeysRequest>(http.Request, faults, cancellationToken);
        var now = time.GetUtcNow();
        if (request.ActivateAt is { } at && (at <= now || at > now + LongestWait)) faults.Add("/activateAt", FaultCodes.InvalidValue, "The time is to come, at most a year ahead.");
        faults.ThrowIfAny();
        return view.Read(id) is { } domain && await keys.CreateAsync(domain, request.ActivateAt?.ToUniversalTime(), cancellationToken) is { } row
            ? TypedResults.Created($"/v1/domains/{id}/dkim-keys", view.Detail(row))
            : Refusal.NotFound;
    }

    /// <summary>List a domain's DKIM keys</summary>
    /// <remarks>Newest first. A key without the scope `admin` may list those of its own account's domains.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="200">The keys.</response>
    private static async Task<IResult> ListAsync(string id, HttpContext http, StoredDomains domains, DomainView view, CancellationToken cancellationToken) =>
        view.AnswerKeys(view.Read(id) is { } domain ? await domains.FindAsync(http.Caller().Within, domain, cancellationToken) : null);

    /// <summary>Activate the new DKIM keys</summary>
    /// <remarks>The new keys sign from now on, the active ones are retired. The records of retired keys stay to be published until nothing unsent needs them.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="200">The domain as it is now.</response>
    private static async Task<IResult> ActivateAsync(string id, StoredDkimKeys keys, DomainView view, CancellationToken cancellationToken) =>
        view.Answer(view.Read(id) is { } domain ? await keys.ActivateAsync(domain, cancellationToken) : null);

    /// <summary>Retire a DKIM key</summary>
    /// <remarks>The key signs no more. The last active key of a domain cannot be retired.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <param name="selector" example="mox202611e">The key's selector.</param>
    /// <response code="200">The domain as it is now.</response>
    private static async Task<IResult> RetireAsync(string id, string selector, StoredDkimKeys keys, DomainView view, CancellationToken cancellationToken) =>
        view.Answer(view.Read(id) is { } domain ? await keys.RetireAsync(domain, selector, cancellationToken) : null);

    /// <summary>Delete a DKIM key</summary>
    /// <remarks>One that is `removable`, or a new one that was not activated.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <param name="selector" example="mox202611e">The key's selector.</param>
    /// <response code="204">The key is gone.</response>
    private static async Task<IResult> DeleteAsync(string id, string selector, StoredDkimKeys keys, DomainView view, CancellationToken cancellationToken) =>
        view.Read(id) is { } domain && await keys.DeleteAsync(domain, selector, cancellationToken) is not null ? TypedResults.NoContent() : Refusal.NotFound;
}
