using Microsoft.AspNetCore.Http.HttpResults;
using MoxApi.Api.Access;
using MoxApi.Api.Accounts;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Api.Swagger;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Keys;
using MoxApi.OpenApi.Lists;
using Stored = MoxApi.Migrations.Accounts.ApiKey;

namespace MoxApi.Api.Keys;

/// <summary><c>/v1/api-keys</c>. A key without the scope admin cannot have to do with keys at all: who finds one could otherwise outlive its deletion.</summary>
internal static class ApiKeyEndpoints
{
    public static void MapApiKeys(this IEndpointRouteBuilder v1)
    {
        var keys = v1.MapGroup("/api-keys").WithTags("API keys").RequireAuthorization(ApiAuthentication.Owner);
        keys.MapPost("", CreateAsync).WithName("CreateApiKey").Accepts<CreateApiKeyRequest>("application/json").Refuses(400, 401, 403, 409, 413, 415, 422, 429);
        keys.MapGet("", ListAsync).WithName("ListApiKeys").Describes(DescribedParameter.Paging).Refuses(400, 401, 403, 422, 429);
        keys.MapGet("/{id}", FindAsync).WithName("GetApiKey").Produces<ApiKey>().Refuses(401, 403, 404, 429);
        keys.MapPatch("/{id}", ChangeAsync).WithName("ChangeApiKey").Produces<ApiKey>().Accepts<ChangeApiKeyRequest>("application/json")
            .Refuses(400, 401, 403, 404, 413, 415, 422, 429);
        keys.MapDelete("/{id}", DeleteAsync).WithName("DeleteApiKey").Produces(204).Refuses(401, 403, 404, 429);
    }

    /// <summary>Make an API key</summary>
    /// <remarks>
    /// The answer has the key, this once. Who logs in with an address and the account's password makes keys for the account; an admin makes keys for any, and
    /// alone those with the scope `admin`.
    /// </remarks>
    /// <response code="201">The key: it is not shown again.</response>
    private static async Task<Created<CreatedApiKey>> CreateAsync(HttpContext http, StoredApiKeys keys, PublicIds ids, TimeProvider time, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<CreateApiKeyRequest>(http.Request, faults, cancellationToken);
        KeyRules.Check(request, time.GetUtcNow(), faults);
        var account = request.AccountId is { } id ? http.Caller().Sees(id, ids) : http.Caller().AccountId;
        if (account is { } known && !await keys.HasAccountAsync(known, cancellationToken)) account = null;
        if (account is null) faults.Add("/accountId", FaultCodes.UnknownReference, "There is no such account.");
        var domains = await keys.DomainsAsync(account, request.Domains, faults, cancellationToken);
        faults.ThrowIfAny();
        KeyRules.RequireAdmin(http.Caller(), request.Scopes ?? []);
        var (row, key) = await keys.CreateAsync(account!.Value, request, domains, cancellationToken);
        return TypedResults.Created($"/v1/api-keys/{ids.Make(PublicIdKind.ApiKey, row.Id)}", Of(row, key, ids, await keys.NamesAsync([row], cancellationToken)));
    }

    /// <summary>List API keys</summary>
    /// <remarks>Newest first: those of the account; for an admin, those of all accounts.</remarks>
    /// <response code="200">A page of keys.</response>
    private static async Task<Ok<Page<ApiKey>>> ListAsync(
        HttpContext http, StoredApiKeys keys, PublicIds ids, CancellationToken cancellationToken)
    {
        var page = PageRequest.Read(http.Request.Query, ids.CursorsOf(PublicIdKind.ApiKey));
        var rows = await keys.ListAsync(http.Caller().Within, page, ids, cancellationToken);
        var names = await keys.NamesAsync(rows.Data, cancellationToken);
        return TypedResults.Ok(new Page<ApiKey> { Data = [.. rows.Data.Select(row => Of(row, ids, names))], HasMore = rows.HasMore, Next = rows.Next, Previous = rows.Previous });
    }

    /// <summary>Read an API key</summary>
    /// <remarks>What it may do and when it was last used, without the key itself.</remarks>
    /// <param name="id" example="key_qtyntxkb2jhilrow2rege4n334">The key's id.</param>
    /// <response code="200">The key.</response>
    private static async Task<IResult> FindAsync(string id, HttpContext http, StoredApiKeys keys, PublicIds ids, CancellationToken cancellationToken) =>
        await SeenAsync(id, http.Caller(), keys, ids, cancellationToken) is { } row ? TypedResults.Ok(Of(row, ids, await keys.NamesAsync([row], cancellationToken))) : Refusal.NotFound;

    /// <summary>Change an API key</summary>
    /// <remarks>What is left out stays. It holds within a second. To change a key that has the scope `admin`, or gets it, takes that scope.</remarks>
    /// <param name="id" example="key_qtyntxkb2jhilrow2rege4n334">The key's id.</param>
    /// <response code="200">The key as it is now.</response>
    private static async Task<IResult> ChangeAsync(string id, HttpContext http, StoredApiKeys keys, PublicIds ids, TimeProvider time, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        var request = await JsonBody.ReadAsync<ChangeApiKeyRequest>(http.Request, faults, cancellationToken);
        KeyRules.Check(request, time.GetUtcNow(), faults);
        var row = await SeenAsync(id, http.Caller(), keys, ids, cancellationToken);
        var domains = await keys.DomainsAsync(row?.AccountId, request.Domains, faults, cancellationToken);
        faults.ThrowIfAny();
        if (row is null) return Refusal.NotFound;
        KeyRules.RequireAdmin(http.Caller(), [.. row.Scopes.Select(KeyRules.Of), .. request.Scopes ?? []]);
        return await keys.ChangeAsync(row.Id, request, domains, cancellationToken) is { } changed
            ? TypedResults.Ok(Of(changed, ids, await keys.NamesAsync([changed], cancellationToken)))
            : Refusal.NotFound;
    }

    /// <summary>Delete an API key</summary>
    /// <remarks>It is refused within a second. What was sent with it is delivered. To delete a key that has the scope `admin` takes that scope.</remarks>
    /// <param name="id" example="key_qtyntxkb2jhilrow2rege4n334">The key's id.</param>
    /// <response code="204">The key is gone.</response>
    private static async Task<IResult> DeleteAsync(string id, HttpContext http, StoredApiKeys keys, PublicIds ids, CancellationToken cancellationToken)
    {
        if (await SeenAsync(id, http.Caller(), keys, ids, cancellationToken) is not { } row) return Refusal.NotFound;
        KeyRules.RequireAdmin(http.Caller(), row.Scopes.Select(KeyRules.Of));
        return await keys.DeleteAsync(row.Id, cancellationToken) ? TypedResults.NoContent() : Refusal.NotFound;
    }

    private static async Task<Stored?> SeenAsync(string id, Caller caller, StoredApiKeys keys, PublicIds ids, CancellationToken cancel) =>
        ids.TryRead(PublicIdKind.ApiKey, id, out var key) ? await keys.FindAsync(caller.Within, key, cancel) : null;

    private static ApiKey Of(Stored row, PublicIds ids, IReadOnlyDictionary<long, string> domains) => new()
    {
        Id = ids.Make(PublicIdKind.ApiKey, row.Id),
        AccountId = ids.Make(PublicIdKind.Account, row.AccountId),
        Name = row.Name,
        Prefix = row.Prefix,
        Scopes = [.. row.Scopes.Select(KeyRules.Of)],
        Domains = row.DomainIds is null ? null : [.. row.DomainIds.Where(domains.ContainsKey).Select(d => domains[d]).Order(StringComparer.Ordinal)],
        Test = row.IsTest,
        ExpiresAt = row.ExpiresAt,
        LastUsedAt = row.LastUsedAt,
        CreatedAt = row.CreatedAt,
    };

    private static CreatedApiKey Of(Stored row, string key, PublicIds ids, IReadOnlyDictionary<long, string> domains)
    {
        var shown = Of(row, ids, domains);
        return new CreatedApiKey
        {
            Id = shown.Id,
            AccountId = shown.AccountId,
            Name = shown.Name,
            Prefix = shown.Prefix,
            Scopes = shown.Scopes,
            Domains = shown.Domains,
            Test = shown.Test,
            ExpiresAt = shown.ExpiresAt,
            CreatedAt = shown.CreatedAt,
            Key = key,
        };
    }
}
