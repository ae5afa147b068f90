using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Accounts;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;

namespace MoxApi.Api.Accounts;

/// <summary><c>/v1/accounts/{id}/addresses</c>.</summary>
internal static class AddressEndpoints
{
    private const int MaxDisplayName = 128;

    public static void MapAddresses(this IEndpointRouteBuilder v1)
    {
        var addresses = v1.MapGroup("/accounts/{id}/addresses").WithTags("Accounts");
        addresses.MapPost("", AddAsync).WithName("AddAddress").RequireAuthorization(Scopes.Admin).Produces<Address>(201)
            .Accepts<AddAddressRequest>("application/json").Refuses(400, 401, 403, 404, 409, 413, 415, 422, 429);
        addresses.MapGet("", ListAsync).WithName("ListAddresses").RequireAuthorization(Scopes.Read).Produces<Page<Address>>()
            .Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 404, 422, 429);
        addresses.MapGet("/{addressId}", FindAsync).WithName("GetAddress").RequireAuthorization(Scopes.Read).Produces<Address>().Refuses(401, 403, 404, 429);
        addresses.MapPatch("/{addressId}", ChangeAsync).WithName("ChangeAddress").RequireAuthorization(Scopes.Admin).Produces<Address>()
            .Accepts<ChangeAddressRequest>("application/json").Refuses(400, 401, 403, 404, 413, 415, 422, 429);
        addresses.MapDelete("/{addressId}", RemoveAsync).WithName("RemoveAddress").RequireAuthorization(Scopes.Admin).Produces(204).Refuses(401, 403, 404, 429);
    }

    /// <summary>Add an address</summary>
    /// <remarks>The account receives mail for it and may send from it, also where the domain is another account's. The first is the default From of its sends.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="201">The address.</response>
    private static async Task<IResult> AddAsync(string id, HttpContext http, StoredAddresses addresses, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<AddAddressRequest>(http.Request, faults, cancellationToken);
        if (!MailAddress.TryParse(request.Address, out var address, out var fault)) faults.Add("/address", FaultCodes.InvalidAddress, fault);
        TextRules.OneLine(request.DisplayName, MaxDisplayName, "/displayName", faults);
        faults.ThrowIfAny();
        if (http.Caller().Sees(id, ids) is not { } account) return Refusal.NotFound;
        return await addresses.AddAsync(account, address!, request.DisplayName, cancellationToken) is { } added
            ? TypedResults.Created($"/v1/accounts/{id}/addresses/{ids.Make(PublicIdKind.Address, added.Row.Id)}", Of(added, ids))
            : Refusal.NotFound;
    }

    /// <summary>List an account's addresses</summary>
    /// <remarks>Newest first. A key without the scope `admin` may list those of its own account.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="200">A page of addresses.</response>
    private static async Task<IResult> ListAsync(
        string id, HttpContext http, StoredAccounts accounts, StoredAddresses addresses, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(PublicIdKind.Address));
        if (http.Caller().Sees(id, ids) is not { } account || await accounts.FindAsync(account, cancellationToken) is null) return Refusal.NotFound;
        return TypedResults.Ok(await addresses.ListAsync(account, page, ids, address => Of(address, ids), cancellationToken));
    }

    /// <summary>Read an address</summary>
    /// <remarks>A key without the scope `admin` may read those of its own account.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <param name="addressId" example="adr_eekbi2pmt76ifo5eq4fbfmibem">The address's id.</param>
    /// <response code="200">The address.</response>
    private static async Task<IResult> FindAsync(string id, string addressId, HttpContext http, StoredAddresses addresses, PublicIds ids, CancellationToken cancellationToken) =>
        http.Caller().Sees(id, ids) is { } account && ids.TryRead(PublicIdKind.Address, addressId, out var address)
            && await addresses.FindAsync(account, address, cancellationToken) is { } found
            ? TypedResults.Ok(Of(found, ids))
            : Refusal.NotFound;

    /// <summary>Change an address's display name</summary>
    /// <remarks>It is the name of sends that name no From.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <param name="addressId" example="adr_eekbi2pmt76ifo5eq4fbfmibem">The address's id.</param>
    /// <response code="200">The address as it is now.</response>
    private static async Task<IResult> ChangeAsync(string id, string addressId, HttpContext http, StoredAddresses addresses, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<ChangeAddressRequest>(http.Request, faults, cancellationToken);
        TextRules.OneLine(request.DisplayName, MaxDisplayName, "/displayName", faults);
        faults.ThrowIfAny();
        return http.Caller().Sees(id, ids) is { } account && ids.TryRead(PublicIdKind.Address, addressId, out var address)
            && await addresses.ChangeAsync(account, address, request.DisplayName, cancellationToken) is { } changed
            ? TypedResults.Ok(Of(changed, ids))
            : Refusal.NotFound;
    }

    /// <summary>Remove an address</summary>
    /// <remarks>
    /// It receives no more mail and is no longer sent from, unless the account owns its domain. What was accepted from it is delivered. An account without
    /// addresses can still be read.
    /// </remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <param name="addressId" example="adr_eekbi2pmt76ifo5eq4fbfmibem">The address's id.</param>
    /// <response code="204">The address is gone.</response>
    private static async Task<IResult> RemoveAsync(string id, string addressId, HttpContext http, StoredAddresses addresses, PublicIds ids, CancellationToken cancellationToken) =>
        http.Caller().Sees(id, ids) is { } account && ids.TryRead(PublicIdKind.Address, addressId, out var address) && await addresses.RemoveAsync(account, address, cancellationToken)
            ? TypedResults.NoContent()
            : Refusal.NotFound;

    private static Address Of(NamedAddress address, PublicIds ids) => new()
    {
        Id = ids.Make(PublicIdKind.Address, address.Row.Id),
        Text = address.Text,
        DisplayName = address.Row.DisplayName,
        CreatedAt = address.Row.CreatedAt,
    };
}
