using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Suppressions;

namespace MoxApi.Api.Suppressions;

/// <summary><c>/v1/suppressions</c>.</summary>
internal static class SuppressionEndpoints
{
    private const int MaxDetail = 500;

    public static void MapSuppressions(this IEndpointRouteBuilder v1)
    {
        var suppressions = v1.MapGroup("/suppressions").WithTags("Suppressions").RequireAuthorization(Scopes.Suppressions);
        suppressions.MapPost("", AddAsync).WithName("AddSuppression").Accepts<AddSuppressionRequest>("application/json").Refuses(400, 401, 403, 413, 415, 422, 429);
        suppressions.MapGet("", ListAsync).WithName("ListSuppressions").Describes([DescribedParameter.Filter<SuppressionReason>("reason", "Only entries with this reason."), .. DescribedParameter.Paging]).Refuses(400, 401, 403, 422, 429);
        suppressions.MapGet("/{address}", FindAsync).WithName("GetSuppression").Produces<Suppression>().Refuses(401, 403, 404, 422, 429);
        suppressions.MapDelete("/{address}", RemoveAsync).WithName("RemoveSuppression").Produces(204).Refuses(401, 403, 404, 422, 429);
    }

    /// <summary>Suppress an address</summary>
    /// <remarks>
    /// The account does not send to the address any more, nor to its other spellings. Messages that are on their way already are stopped before their
    /// next attempt. An address that is on the list already gets the new note and time. Not with a test key.
    /// </remarks>
    /// <response code="201">The entry.</response>
    private static async Task<Created<Suppression>> AddAsync(HttpContext http, ISuppressions suppressions, TimeProvider time, CancellationToken cancellationToken)
    {
        var caller = http.Caller().RefuseTest();
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<AddSuppressionRequest>(http.Request, faults, cancellationToken);
        if (!MailAddress.TryParse(request.Address, out var address, out var fault)) faults.Add("/address", FaultCodes.InvalidAddress, fault);
        TextRules.OneLine(request.Detail, MaxDetail, "/detail", faults);
        if (request.ExpiresAt <= time.GetUtcNow()) faults.Add("/expiresAt", FaultCodes.InvalidValue, "The time has passed.");
        faults.ThrowIfAny();
        var made = await suppressions.AddAsync(caller, address!, request.Detail, request.ExpiresAt?.ToUniversalTime(), cancellationToken);
        return TypedResults.Created($"/v1/suppressions/{Uri.EscapeDataString(made.Address)}", made);
    }

    /// <summary>List suppressed addresses</summary>
    /// <remarks>The addresses that the account does not send to, newest first.</remarks>
    /// <response code="200">A page of entries.</response>
    private static async Task<Ok<Page<Suppression>>> ListAsync(HttpContext http, ISuppressions suppressions, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(TimedList.Suppressions), faults, "reason");
        var reason = Filters.Word<SuppressionReason>(http.Request.Query, "reason", faults);
        faults.ThrowIfAny();
        return TypedResults.Ok(await suppressions.ListAsync(http.Caller(), reason, page, cancellationToken));
    }

    /// <summary>Check an address</summary>
    /// <remarks>Tells whether an address, in any of its spellings, is on the list, and why.</remarks>
    /// <param name="address" example="jane@example.org">The address.</param>
    /// <response code="200">The address is suppressed.</response>
    private static async Task<IResult> FindAsync(string address, HttpContext http, ISuppressions suppressions, CancellationToken cancellationToken) =>
        await suppressions.FindAsync(http.Caller(), Address(address, http), cancellationToken) is { } found ? TypedResults.Ok(found) : Refusal.NotFound;

    /// <summary>Remove an address from the list</summary>
    /// <remarks>It is sent to again, in all of its spellings, by messages that are sent from now on. Not with a test key.</remarks>
    /// <param name="address" example="jane@example.org">The address.</param>
    /// <response code="204">The address is no longer suppressed.</response>
    private static async Task<IResult> RemoveAsync(string address, HttpContext http, ISuppressions suppressions, CancellationToken cancellationToken) =>
        await suppressions.RemoveAsync(http.Caller().RefuseTest(), Address(address, http), cancellationToken) ? TypedResults.NoContent() : Refusal.NotFound;

    private static MailAddress Address(string routed, HttpContext http)
    {
        if (MailAddress.TryParse(routed.Contains('%') ? LastSegment(http) : routed, out var address, out var fault)) return address;
        var faults = new Faults();
        faults.AddParameter("address", FaultCodes.InvalidAddress, fault);
        throw new RefusalException(faults.ToRefusal());
    }

    // What is routed has an escaped slash as it came and all else unescaped, so that it cannot be told from an address with "%2F" in it. A slash may stand in a
    // local part (RFC 5321 §4.1.2, by RFC 5322's atext).
    private static string LastSegment(HttpContext http)
    {
        var path = http.Features.GetRequiredFeature<IHttpRequestFeature>().RawTarget.Split('?')[0].TrimEnd('/');
        return Uri.UnescapeDataString(path[(path.LastIndexOf('/') + 1)..]);
    }
}
