using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Accounts;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Keys;
using MoxApi.OpenApi.Lists;
using ApiKey = MoxApi.Migrations.Accounts.ApiKey;

namespace MoxApi.Api.Keys;

/// <summary>Keys of the API, over HTTP and on the command line. Requests are in order: see <see cref="KeyRules"/>.</summary>
internal sealed class StoredApiKeys(IDbContextFactory<MailDbContext> contexts, TimeProvider time)
{
    /// <summary>The most keys of an account.</summary>
    public const int MostPerAccount = 1000;

    /// <summary>Whether there is such an account.</summary>
    public async Task<bool> HasAccountAsync(long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await StoredAccounts.In(context).AnyAsync(a => a.Id == id, cancel);
    }

    /// <summary>
    /// The domains of names, which the account may send from; names that are none are added to <paramref name="faults"/>, where the account is unknown only what
    /// is no name at all. Null where no names are given.
    /// </summary>
    public async Task<long[]?> DomainsAsync(long? account, IReadOnlyList<string>? names, Faults faults, CancellationToken cancel)
    {
        if (names is null) return null;
        var known = account is { } owner ? await DomainsOfAsync(owner, cancel) : null;
        var domains = new HashSet<long>();
        for (var i = 0; i < names.Count && i < KeyRules.MaxDomains; i++)
        {
            var pointer = JsonPointer.Item("/domains", i);
            if (!MailDomain.TryParse(names[i], out var domain, out var fault)) faults.Add(pointer, FaultCodes.InvalidDomain, fault);
            else if (known is null) continue;
            else if (!known.TryGetValue(domain.Ascii, out var id)) faults.Add(pointer, FaultCodes.UnknownReference, "The account has no such domain, and no address in it.");
            else domains.Add(id);
        }
        return [.. domains];
    }

    /// <summary>Makes a key; it is returned this once, and stored as a hash.</summary>
    /// <exception cref="RefusalException">There is no such account, or it has too many keys.</exception>
    public async Task<(ApiKey Row, string Key)> CreateAsync(long account, CreateApiKeyRequest request, long[]? domains, CancellationToken cancel)
    {
        var key = ApiKeyHash.NewKey();
        var row = new ApiKey
        {
            AccountId = account,
            Name = request.Name,
            Hash = ApiKeyHash.Of(key),
            Prefix = ApiKeyHash.Shown(key),
            Scopes = [.. (request.Scopes ?? [.. Enum.GetValues<ApiKeyScope>().Where(s => s != ApiKeyScope.Admin)]).Distinct().Select(KeyRules.Stored)],
            DomainIds = domains,
            IsTest = request.Test == true,
            ExpiresAt = request.ExpiresAt?.ToUniversalTime(),
            CreatedAt = time.GetUtcNow(),
        };
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        if (!await context.HoldAccountAsync(account, cancel))
            throw new RefusalException(Refusal.Of(FaultCodes.UnknownReference, "/accountId", "There is no such account."));
        if (await In(context, account).CountAsync(cancel) >= MostPerAccount)
            throw new RefusalException(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.Conflict, $"An account has at most {MostPerAccount} keys."));
        context.Add(row);
        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return (row, key);
    }

    /// <summary>A page of the keys that may be seen, newest first.</summary>
    public async Task<Page<ApiKey>> ListAsync(long? within, PageRequest page, PublicIds ids, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await In(context, within).ToPageAsync(page, PublicIdKind.ApiKey, ids, row => row.Id, row => row, cancel);
    }

    /// <summary>A key; null where there is none, or not within the account.</summary>
    public async Task<ApiKey?> FindAsync(long? within, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await In(context, within).AsNoTracking().SingleOrDefaultAsync(k => k.Id == id, cancel);
    }

    /// <summary>Changes what is given of a key; null where there is none.</summary>
    /// <exception cref="RefusalException">The key would be an admin's with a limit.</exception>
    public async Task<ApiKey?> ChangeAsync(long id, ChangeApiKeyRequest request, long[]? domains, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await context.ApiKeys.SingleOrDefaultAsync(k => k.Id == id, cancel) is not { } row) return null;
        row.Name = request.Name ?? row.Name;
        row.Scopes = request.Scopes is { } scopes ? [.. scopes.Distinct().Select(KeyRules.Stored)] : row.Scopes;
        row.DomainIds = domains ?? (request.Reset?.Contains("domains") == true ? null : row.DomainIds);
        row.ExpiresAt = request.ExpiresAt?.ToUniversalTime() ?? (request.Reset?.Contains("expiresAt") == true ? null : row.ExpiresAt);
        var faults = new Faults();
        KeyRules.CheckAdmin([.. row.Scopes.Select(KeyRules.Of)], row.DomainIds is not null, row.IsTest, faults);
        faults.ThrowIfAny();
        await context.SaveChangesAsync(cancel);
        return row;
    }

    /// <summary>Deletes a key: it is refused within a second. What was sent with it goes on.</summary>
    /// <returns>False where there is no such key.</returns>
    public async Task<bool> DeleteAsync(long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await context.ApiKeys.Where(k => k.Id == id).ExecuteDeleteAsync(cancel) > 0;
    }

    /// <summary>The names of the domains that keys are limited to, with U-labels, by id.</summary>
    public async Task<IReadOnlyDictionary<long, string>> NamesAsync(IEnumerable<ApiKey> keys, CancellationToken cancel)
    {
        var wanted = keys.SelectMany(k => k.DomainIds ?? []).Distinct().ToArray();
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await context.Domains.Where(d => wanted.Contains(d.Id)).ToDictionaryAsync(d => d.Id, d => MailDomain.Parse(d.Name).Unicode, cancel);
    }

    private async Task<Dictionary<string, long>> DomainsOfAsync(long account, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await context.Domains.Where(d => d.AccountId == account || context.Addresses.Any(a => a.DomainId == d.Id && a.AccountId == account))
            .ToDictionaryAsync(d => d.Name, d => d.Id, cancel);
    }

    // The keys of one account, or those of all.
    private static IQueryable<ApiKey> In(MailDbContext context, long? within) => context.ApiKeys.Where(k => within == null || k.AccountId == within);
}
