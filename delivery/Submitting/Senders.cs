using System.Collections.Concurrent;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Caching.Memory;
using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dkim;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Secrets;
using DkimKey = MoxApi.Mail.Dkim.DkimKey;

namespace MoxApi.Delivery.Submitting;

/// <summary>An author whom an account may use, and what sending in his name takes.</summary>
/// <param name="From">The author.</param>
/// <param name="Signers">One for each active key of his domain; none where it is not ours, as in the sandbox.</param>
/// <param name="ReturnPathDomain">Where unique return paths live; absent where the account has no domain.</param>
/// <param name="ReturnPath">The account's choice.</param>
/// <param name="QueueLife">How long a message may stay in the queue.</param>
/// <param name="Retries">When further attempts are due.</param>
internal sealed record Sender(
    Mailbox From, IReadOnlyList<DkimSigner> Signers, string? ReturnPathDomain, ReturnPathMode ReturnPath, TimeSpan QueueLife, RetrySchedule Retries);

/// <summary>Says who may send as whom, and with which keys. What was found holds for two seconds; keys, which do not change, stay.</summary>
internal sealed class Senders(IDbContextFactory<MailDbContext> contexts, SecretBox secrets, IMemoryCache cache)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<long, DkimKey> keys = new();

    /// <summary>The sender for an account and an author.</summary>
    /// <exception cref="SenderNotAllowedException">The account may not send as him, or has no address for a default.</exception>
    public async Task<Sender> FindAsync(long accountId, Mailbox? from, CancellationToken cancel)
    {
        var (key, address) = (("sender", accountId, from?.Address.ToString()), from?.Address.ToString() ?? "an address of its own, for it has none");
        if (!cache.TryGetValue(key, out Sender? sender))
        {
            sender = await ReadAsync(accountId, from, cancel);
            cache.Set(key, sender, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = Fresh, Size = 1 });
        }
        if (sender is null) throw new SenderNotAllowedException(address);
        return from is null ? sender : sender with { From = from };
    }

    private async Task<Sender?> ReadAsync(long accountId, Mailbox? from, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var account = await context.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId, cancel);
        if (account is null) return null;
        from ??= await DefaultAsync(context, accountId, cancel);
        if (from is null) return null;
        var domain = await context.Domains.AsNoTracking().Include(d => d.DkimKeys).SingleOrDefaultAsync(d => d.Name == from.Address.Domain.Ascii, cancel);
        if (!await MaySendAsync(context, account, domain, from.Address, cancel)) return null;
        var returnPathDomain = domain?.ReturnPathDomain
            ?? await context.Domains.Where(d => d.AccountId == accountId).OrderBy(d => d.Id).Select(d => d.ReturnPathDomain).FirstOrDefaultAsync(cancel);
        return new Sender(
            from, domain is null ? [] : [.. domain.DkimKeys.Where(k => k.Active).OrderBy(k => k.Id).Select(k => Signer(domain, k))], returnPathDomain,
            account.ReturnPath, TimeSpan.FromSeconds(account.QueueLifeSeconds),
            RetrySchedule.TryParse(account.RetrySchedule, out var retries) ? retries : RetrySchedule.Default);
    }

    private static async Task<Mailbox?> DefaultAsync(MailDbContext context, long accountId, CancellationToken cancel)
    {
        var first = await context.Addresses.Where(a => a.AccountId == accountId).OrderBy(a => a.Id)
            .Join(context.Domains, a => a.DomainId, d => d.Id, (a, d) => new { a.LocalPart, a.DisplayName, d.Name }).FirstOrDefaultAsync(cancel);
        return first is not null && MailAddress.TryCreate(first.LocalPart, MailDomain.Parse(first.Name), out var address, out _) ? new Mailbox(first.DisplayName, address) : null;
    }

    private static async Task<bool> MaySendAsync(MailDbContext context, Account account, Domain? domain, MailAddress from, CancellationToken cancel)
    {
        if (account.MaySendAsAnyone || domain?.AccountId == account.Id) return true;
        if (domain is null) return false;
        var localPart = from.LocalPart.ToLowerInvariant();
        return await context.Addresses.AnyAsync(a => a.AccountId == account.Id && a.DomainId == domain.Id && a.LocalPart == localPart, cancel);
    }

    private DkimSigner Signer(Domain domain, Migrations.Accounts.DkimKey stored) => new(
        MailDomain.Parse(domain.Name), stored.Selector,
        keys.GetOrAdd(stored.Id, _ => DkimKey.Import(
            stored.Algorithm == "rsa" ? DkimAlgorithm.RsaSha256 : DkimAlgorithm.Ed25519Sha256,
            secrets.Open(stored.SealedPrivateKey, Migrations.Accounts.DkimKey.SealContext(domain.Name, stored.Selector)))));
}
