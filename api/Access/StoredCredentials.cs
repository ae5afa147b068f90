using System.Net;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;

namespace MoxApi.Api.Access;

/// <summary>Keys and logins as they are stored. A key that was found is trusted for a second, so that a burst of requests is one look-up.</summary>
internal sealed class StoredCredentials(IDbContextFactory<MailDbContext> contexts, IMemoryCache cache, LoginBudget budget, KeyUsage usage, TimeProvider time) : ICredentials
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);

    // A login has every right of its account, but not the installation's.
    private static readonly HashSet<string> LoginScopes = [.. OpenApi.Access.Scopes.All.Where(s => s != OpenApi.Access.Scopes.Admin)];

    /// <inheritdoc/>
    public async Task<Caller?> FindByKeyAsync(string key, CancellationToken cancellationToken)
    {
        var hash = ApiKeyHash.Of(key);
        var cacheKey = ("key", Convert.ToHexString(hash));
        if (!cache.TryGetValue(cacheKey, out KnownKey? known))
        {
            known = await ReadAsync(hash, cancellationToken);
            if (known is null) return null;
            cache.Set(cacheKey, known, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = Fresh, Size = 1 });
        }
        if (known!.ExpiresAt <= time.GetUtcNow()) return null;
        usage.Note(known.Caller.KeyId!.Value);
        return known.Caller;
    }

    /// <inheritdoc/>
    public async Task<Caller?> FindByPasswordAsync(string address, string password, IPAddress client, CancellationToken cancellationToken)
    {
        budget.ThrowIfExhausted(client);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var account = MailAddress.TryParse(address, out var parsed, out _) ? await AccountOfAsync(context, parsed, cancellationToken) : null;
        // Asked again when its turn comes: many guesses may have queued up while the budget lasted.
        if (await PasswordHash.VerifyAsync(password, account?.PasswordHash, () => budget.ThrowIfExhausted(client), cancellationToken)) return new Caller(account!.Id, LoginScopes) { IsLogin = true };
        budget.Fail(client);
        return null;
    }

    private async Task<KnownKey?> ReadAsync(byte[] hash, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var stored = await context.ApiKeys.AsNoTracking().SingleOrDefaultAsync(k => k.Hash == hash && context.Accounts.Any(a => a.Id == k.AccountId && a.DeletedAt == null), cancel);
        return stored is null
            ? null
            : new KnownKey(new Caller(stored.AccountId, stored.Scopes.ToHashSet()) { KeyId = stored.Id, DomainIds = stored.DomainIds, IsTest = stored.IsTest }, stored.ExpiresAt);
    }

    private static Task<Migrations.Accounts.Account?> AccountOfAsync(MailDbContext context, MailAddress address, CancellationToken cancel)
    {
        var localPart = address.LocalPart.ToLowerInvariant();
        return (from a in context.Addresses
                join d in context.Domains on a.DomainId equals d.Id
                join account in context.Accounts on a.AccountId equals account.Id
                where d.Name == address.Domain.Ascii && a.LocalPart == localPart && account.DeletedAt == null
                select account).AsNoTracking().SingleOrDefaultAsync(cancel);
    }

    private sealed record KnownKey(Caller Caller, DateTimeOffset? ExpiresAt);
}
