using System.Net;
using System.Security.Cryptography;
using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;

namespace MoxApi.Api.Access;

/// <summary>
/// Keys and logins as they are stored. A key that was found is trusted for a second, so that a burst of requests is one look-up. Of a login the account is
/// looked up each time; only that a password fits a stored hash is remembered, for hashing is what is slow.
/// </summary>
internal sealed class StoredCredentials(
    IDbContextFactory<MailDbContext> contexts, IMemoryCache cache, LoginBudget budget, LoginLine line, KeyUsage usage, TimeProvider time) : ICredentials
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Remembered = TimeSpan.FromMinutes(1);

    // Passwords are remembered as their MACs under a key that only this process has.
    private readonly byte[] secret = RandomNumberGenerator.GetBytes(32);

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
        if (await IsRightAsync(password, account?.PasswordHash, client, cancellationToken)) return new Caller(account!.Id, LoginScopes) { IsLogin = true };
        budget.Fail(client);
        return null;
    }

    private async Task<bool> IsRightAsync(string password, string? stored, IPAddress client, CancellationToken cancel)
    {
        var login = ("login", Convert.ToHexString(HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes($"{stored}\0{password}"))));
        if (cache.TryGetValue(login, out _)) return true;
        using var place = line.Join(client);
        // Both are asked again when its turn comes: many guesses may have queued up while the budget lasted, or many times the same right password.
        if (!await PasswordHash.VerifyAsync(password, stored, () => IsKnown(login, client), cancel)) return false;
        cache.Set(login, true, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = Remembered, Size = 1 });
        return true;
    }

    private bool IsKnown((string, string) login, IPAddress client)
    {
        budget.ThrowIfExhausted(client);
        return cache.TryGetValue(login, out _);
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
