using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Domains;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;

namespace MoxApi.Api.Domains;

/// <summary><c>/v1/domains</c>.</summary>
internal static class DomainEndpoints
{
    public static void MapDomains(this IEndpointRouteBuilder v1)
    {
        var domains = v1.MapGroup("/domains").WithTags("Domains");
        domains.MapPost("", CreateAsync).WithName("CreateDomain").RequireAuthorization(Scopes.Admin)
            .Accepts<CreateDomainRequest>("application/json").Refuses(400, 401, 403, 409, 413, 415, 422, 429);
        domains.MapGet("", ListAsync).WithName("ListDomains").RequireAuthorization(Scopes.Read).Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 422, 429);
        domains.MapGet("/{id}", FindAsync).WithName("GetDomain").RequireAuthorization(Scopes.Read).Produces<DomainDetail>().Refuses(401, 403, 404, 429);
        domains.MapPatch("/{id}", ChangeAsync).WithName("ChangeDomain").RequireAuthorization(Scopes.Admin).Produces<DomainDetail>()
            .Accepts<ChangeDomainRequest>("application/json").Refuses(400, 401, 403, 404, 413, 415, 422, 429);
        domains.MapPost("/{id}/suspend", SuspendAsync).WithName("SuspendDomain").RequireAuthorization(Scopes.Admin).Produces<DomainDetail>().Refuses(401, 403, 404, 429);
        domains.MapPost("/{id}/resume", ResumeAsync).WithName("ResumeDomain").RequireAuthorization(Scopes.Admin).Produces<DomainDetail>().Refuses(401, 403, 404, 429);
        domains.MapDelete("/{id}", DeleteAsync).WithName("DeleteDomain").RequireAuthorization(Scopes.Admin).Produces(204).Refuses(401, 403, 404, 429);
    }

    /// <summary>Make a domain</summary>
    /// <remarks>The answer has the DNS records to publish. Two DKIM keys are made, RSA and Ed25519: receivers that do not know the one verify the other.</remarks>
    /// <response code="201">The domain. Location has its address.</response>
    private static async Task<Created<DomainDetail>> CreateAsync(HttpContext http, StoredDomains domains, DomainView view, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<CreateDomainRequest>(http.Request, faults, cancellationToken);
        var name = Domain(request.Name, "/name", faults);
        var returnPathDomain = request.ReturnPathDomain is { } text ? Domain(text, "/returnPathDomain", faults) : null;
        var account = http.Caller().AccountId;
        if (request.AccountId is { } id && !ids.TryRead(PublicIdKind.Account, id, out account)) faults.Add("/accountId", FaultCodes.UnknownReference, "There is no such account.");
        faults.ThrowIfAny();
        var domain = view.Detail(await domains.CreateAsync(account, name!, returnPathDomain, cancellationToken));
        return TypedResults.Created($"/v1/domains/{domain.Id}", domain);
    }

    /// <summary>List domains</summary>
    /// <remarks>Newest first: those of the account; for an admin, those of all accounts.</remarks>
    /// <response code="200">A page of domains.</response>
    private static async Task<Ok<Page<MoxApi.OpenApi.Domains.Domain>>> ListAsync(HttpContext http, StoredDomains domains, DomainView view, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(PublicIdKind.Domain));
        return TypedResults.Ok(await domains.ListAsync(http.Caller().Within, page, ids, view.Summary, cancellationToken));
    }

    /// <summary>Read a domain</summary>
    /// <remarks>With the DNS records to publish and its DKIM keys. A key without the scope `admin` may read the domains of its own account.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="200">The domain.</response>
    private static async Task<IResult> FindAsync(string id, HttpContext http, StoredDomains domains, DomainView view, CancellationToken cancellationToken) =>
        view.Answer(view.Read(id) is { } domain ? await domains.FindAsync(http.Caller().Within, domain, cancellationToken) : null);

    /// <summary>Change a domain's return paths</summary>
    /// <remarks>Bounces of messages that were accepted before still go to the old domain: keep its records while such may come.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="200">The domain as it is now.</response>
    private static async Task<IResult> ChangeAsync(string id, HttpContext http, StoredDomains domains, DomainView view, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<ChangeDomainRequest>(http.Request, faults, cancellationToken);
        var returnPathDomain = Domain(request.ReturnPathDomain, "/returnPathDomain", faults);
        faults.ThrowIfAny();
        return view.Answer(view.Read(id) is { } domain ? await domains.ChangeAsync(domain, returnPathDomain!, cancellationToken) : null);
    }

    /// <summary>Suspend a domain</summary>
    /// <remarks>From now on sends from it are refused with `domain_suspended`, whoever sends, and what is queued from it is held. It still receives mail.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="200">The domain as it is now.</response>
    private static async Task<IResult> SuspendAsync(string id, StoredDomains domains, DomainView view, CancellationToken cancellationToken) =>
        view.Answer(view.Read(id) is { } domain ? await domains.SuspendAsync(domain, cancellationToken) : null);

    /// <summary>Resume a domain</summary>
    /// <remarks>What was held is released, unless its account is suspended or paused.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="200">The domain as it is now.</response>
    private static async Task<IResult> ResumeAsync(string id, StoredDomains domains, DomainView view, CancellationToken cancellationToken) =>
        view.Answer(view.Read(id) is { } domain ? await domains.ResumeAsync(domain, cancellationToken) : null);

    /// <summary>Delete a domain</summary>
    /// <remarks>Its keys and all addresses in it are gone, also those of other accounts, and what is queued from it is canceled.</remarks>
    /// <param name="id" example="dom_ren5lz355wlkk46b446fnb5nde">The domain's id.</param>
    /// <response code="204">The domain is gone.</response>
    private static async Task<IResult> DeleteAsync(string id, StoredDomains domains, DomainView view, CancellationToken cancellationToken) =>
        view.Read(id) is { } domain && await domains.DeleteAsync(domain, cancellationToken) ? TypedResults.NoContent() : Refusal.NotFound;

    private static MailDomain? Domain(string text, string pointer, Faults faults)
    {
        if (!MailDomain.TryParse(text, out var domain, out var fault)) faults.Add(pointer, FaultCodes.InvalidDomain, fault);
        return domain;
    }
}
