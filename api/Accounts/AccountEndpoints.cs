using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Accounts;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using Stored = MoxApi.Migrations.Accounts.Account;

namespace MoxApi.Api.Accounts;

/// <summary><c>/v1/accounts</c>.</summary>
internal static class AccountEndpoints
{
    public static void MapAccounts(this IEndpointRouteBuilder v1)
    {
        var accounts = v1.MapGroup("/accounts").WithTags("Accounts");
        accounts.MapPost("", CreateAsync).WithName("CreateAccount").RequireAuthorization(Scopes.Admin)
            .Accepts<CreateAccountRequest>("application/json").Refuses(400, 401, 403, 409, 413, 415, 422, 429);
        accounts.MapGet("", ListAsync).WithName("ListAccounts").RequireAuthorization(Scopes.Admin)
            .Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 422, 429);
        accounts.MapGet("/{id}", FindAsync).WithName("GetAccount").RequireAuthorization(Scopes.Read).Produces<Account>().Refuses(401, 403, 404, 429);
        accounts.MapPatch("/{id}", ChangeAsync).WithName("ChangeAccount").RequireAuthorization(Scopes.Admin).Produces<Account>()
            .Accepts<ChangeAccountRequest>("application/json").Refuses(400, 401, 403, 404, 409, 413, 415, 422, 429);
        accounts.MapPost("/{id}/suspend", SuspendAsync).WithName("SuspendAccount").RequireAuthorization(Scopes.Admin).Produces<Account>().Refuses(401, 403, 404, 429);
        accounts.MapPost("/{id}/resume", ResumeAsync).WithName("ResumeAccount").RequireAuthorization(Scopes.Admin).Produces<Account>().Refuses(401, 403, 404, 429);
        accounts.MapDelete("/{id}", DeleteAsync).WithName("DeleteAccount").RequireAuthorization(Scopes.Admin).Produces(204).Refuses(401, 403, 404, 409, 429);
    }

    /// <summary>Make an account</summary>
    /// <remarks>It can be read at once; to send, it needs a domain or an address, and a key.</remarks>
    /// <response code="201">The account. Location has its address.</response>
    private static async Task<Created<Account>> CreateAsync(HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<CreateAccountRequest>(http.Request, faults, cancellationToken);
        AccountRules.Check(request, faults);
        faults.ThrowIfAny();
        var account = AccountWire.Of(await accounts.CreateAsync(request, cancellationToken), ids);
        return TypedResults.Created($"/v1/accounts/{account.Id}", account);
    }

    /// <summary>List accounts</summary>
    /// <remarks>All accounts of the installation, newest first.</remarks>
    /// <response code="200">A page of accounts.</response>
    private static async Task<Ok<Page<Account>>> ListAsync(HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(PublicIdKind.Account));
        return TypedResults.Ok(await accounts.ListAsync(page, ids, row => AccountWire.Of(row, ids), cancellationToken));
    }

    /// <summary>Read an account</summary>
    /// <remarks>A key without the scope `admin` may read its own account.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="200">The account.</response>
    private static async Task<IResult> FindAsync(string id, HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken) =>
        Answer(http.Caller().Sees(id, ids) is { } account ? await accounts.FindAsync(account, cancellationToken) : null, ids);

    /// <summary>Change an account</summary>
    /// <remarks>What is left out stays. A new retry schedule, return path and life in the queue hold for messages that are accepted from then on.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="200">The account as it is now.</response>
    private static async Task<IResult> ChangeAsync(string id, HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<ChangeAccountRequest>(http.Request, faults, cancellationToken);
        AccountRules.Check(request, faults);
        faults.ThrowIfAny();
        return Answer(http.Caller().Sees(id, ids) is { } account ? await accounts.ChangeAsync(account, request, cancellationToken) : null, ids);
    }

    /// <summary>Suspend an account</summary>
    /// <remarks>From now on its sends are refused with `account_suspended`, and what it has queued is held. It can still be read, and receives mail.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="200">The account as it is now.</response>
    private static async Task<IResult> SuspendAsync(string id, HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken) =>
        Answer(http.Caller().Sees(id, ids) is { } account ? await accounts.SuspendAsync(account, cancellationToken) : null, ids);

    /// <summary>Resume an account</summary>
    /// <remarks>Ends a suspension, and an automatic pause too. What was held is released, unless its domain is suspended.</remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="200">The account as it is now.</response>
    private static async Task<IResult> ResumeAsync(string id, HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken) =>
        Answer(http.Caller().Sees(id, ids) is { } account ? await accounts.ResumeAsync(account, cancellationToken) : null, ids);

    /// <summary>Delete an account</summary>
    /// <remarks>
    /// Its keys, addresses, domains and webhooks are gone at once, and what it has queued is canceled. Its messages, events and lists are deleted in the
    /// background. The account of the key in use cannot be deleted.
    /// </remarks>
    /// <param name="id" example="acc_5rlv63vnmsjcb7xihvzt5awiau">The account's id.</param>
    /// <response code="204">The account is gone.</response>
    private static async Task<IResult> DeleteAsync(string id, HttpContext http, StoredAccounts accounts, PublicIds ids, CancellationToken cancellationToken)
    {
        if (http.Caller().Sees(id, ids) is not { } account) return Refusal.NotFound;
        if (account == http.Caller().AccountId) return new Refusal(StatusCodes.Status409Conflict, ErrorCodes.Conflict, "This is the account of the key in use.");
        return await accounts.DeleteAsync(account, cancellationToken) ? TypedResults.NoContent() : Refusal.NotFound;
    }

    /// <summary>The account of a public id, where the caller may see it.</summary>
    public static long? Sees(this Caller caller, string id, PublicIds ids) =>
        ids.TryRead(PublicIdKind.Account, id, out var account) && (caller.Within ?? account) == account ? account : null;

    private static IResult Answer(Stored? row, PublicIds ids) => row is null ? Refusal.NotFound : TypedResults.Ok(AccountWire.Of(row, ids));
}
