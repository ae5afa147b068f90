using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;

namespace MoxApi.Api.Access;

/// <summary>Keys and logins as they are stored. A key that was found is trusted for a second, so that a burst of requests is one look-up.</summary>
internal sealed class StoredCredentials(IDbContextFactory<MailDbContext> contexts, IMemoryCache cache, LoginBudget budget) : ICredentials
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    // A login has every right of its account, but not the installation's.
    private static readonly HashSet<string> LoginScopes = [.. OpenApi.Access.Scopes.All.Where(s => s != OpenApi.Access.Scopes.Admin)];

    /// <inheritdoc/>
    public async Task<Caller?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        var hash = ApiKeyHash.Of(key);
        var cacheKey = ("key", Convert.ToHexString(hash));
        if (cache.TryGetValue(cacheKey, out Caller? caller)) return caller;
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var stored = await context.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash, cancellationToken);
        if (stored is null) return null;
        caller = new Caller(stored.AccountId, stored.Scopes.ToHashSet());
        cache.Set(cacheKey, caller, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = Fresh, Size = 1 });
        return caller;
    }

    /// <inheritdoc/>
    public async Task<Caller?> FindByPasswordAsync(string address, string password, IPAddress client, CancellationToken cancellationToken)
    {
        budget.ThrowIfExhausted(client);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var account = MailAddress.TryParse(address, out var parsed, out _) ? await AccountOfAsync(context, parsed, cancellationToken) : null;
        // Asked again when its turn comes: many guesses may have queued up while the budget lasted.
        if (await PasswordHash.VerifyAsync(password, account?.PasswordHash, () => budget.ThrowIfExhausted(client), cancellationToken)) return new Caller(account!.Id, LoginScopes);
        budget.Fail(client);
        return null;
    }

    private static Task<Migrations.Accounts.Account?> AccountOfAsync(MailDbContext context, MailAddress address, CancellationToken cancel)
    {
        var localPart = address.LocalPart.ToLowerInvariant();
        return (from a in context.Addresses
                join d in context.Domains on a.DomainId equals d.Id
                join account in context.Accounts on a.AccountId equals account.Id
                where d.Name == address.Domain.Ascii && a.LocalPart == localPart
                select account).AsNoTracking().SingleOrDefaultAsync(cancel);
    }
}
