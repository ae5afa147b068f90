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
/// <param name="DomainId">His domain, where it is one of ours.</param>
/// <param name="Keys">Those that sign for his domain; none where it is not ours, as in the sandbox.</param>
/// <param name="ReturnPathDomain">Where unique return paths live; absent where the account has no domain.</param>
/// <param name="ReturnPath">The account's choice.</param>
/// <param name="QueueLife">How long a message may stay in the queue.</param>
/// <param name="Retries">When further attempts are due.</param>
/// <param name="Stopped">Why nothing may be sent, if so.</param>
internal sealed record Sender(
    Mailbox From, long? DomainId, IReadOnlyList<SigningKey> Keys, string? ReturnPathDomain, ReturnPathMode ReturnPath, TimeSpan QueueLife, RetrySchedule Retries,
    SenderStop? Stopped);

/// <summary>A key that signs for a domain.</summary>
/// <param name="Id">The stored key.</param>
/// <param name="Signer">What signs with it.</param>
internal sealed record SigningKey(long Id, DkimSigner Signer);

/// <summary>Why an account may not send for now.</summary>
public enum SenderStop
{
    /// <summary>An admin suspended the account.</summary>
    AccountSuspended,

    /// <summary>The account was paused because too much of its mail bounced or was complained about.</summary>
    AccountPaused,

    /// <summary>An admin suspended the domain.</summary>
    DomainSuspended,
}

/// <summary>Says who may send as whom, and with which keys. What was found holds for two seconds; keys, which do not change, stay.</summary>
internal sealed class Senders(IDbContextFactory<MailDbContext> contexts, SecretBox secrets, IMemoryCache cache)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);

    private readonly ConcurrentDictionary<long, DkimKey> keys = new();
    private readonly ConcurrentDictionary<long, DateTimeOffset> neededUntil = new();

    /// <summary>The sender for an account and an author.</summary>
    /// <param name="accountId">Who sends.</param>
    /// <param name="from">The author; the account's first address, of those in the domains, where absent.</param>
    /// <param name="domains">The only domains that may be used, by id; all of the account's where absent.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="SenderNotAllowedException">The account may not send as him, or has no address for a default.</exception>
    /// <exception cref="SenderStoppedException">Nothing may be sent for now.</exception>
    public async Task<Sender> FindAsync(long accountId, Mailbox? from, IReadOnlyCollection<long>? domains, CancellationToken cancel)
    {
        var key = ("sender", accountId, from?.Address.ToString() ?? (domains is null ? null : string.Join(',', domains.Order())));
        if (!cache.TryGetValue(key, out Sender? sender))
        {
            sender = await ReadAsync(accountId, from, domains, cancel);
            cache.Set(key, sender, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = Fresh, Size = 1 });
        }
        if (sender is null) throw new SenderNotAllowedException(NotAllowed(from, domains is not null));
        if (domains is not null && !(sender.DomainId is { } domain && domains.Contains(domain)))
            throw new SenderNotAllowedException($"The key may not send from {sender.From.Address}: it is limited to other domains.");
        if (sender.Stopped is { } stop) throw new SenderStoppedException(stop);
        // An author without a name goes by the one that is stored for him.
        return from is null ? sender : sender with { From = new Mailbox(from.DisplayName ?? sender.From.DisplayName, from.Address) };
    }

    /// <summary>
    /// Writes down until when the keys' records must stay published, before a signature that needs them so long is accepted. Rounded up to the hour,
    /// so this is one small update an hour for a domain that sends all the time.
    /// </summary>
    public async ValueTask KeepPublishedAsync(Sender sender, DateTimeOffset until, CancellationToken cancel)
    {
        var late = sender.Keys.Where(k => !neededUntil.TryGetValue(k.Id, out var known) || known < until).Select(k => k.Id).ToArray();
        if (late.Length == 0) return;
        var hour = new DateTimeOffset(until.UtcTicks - (until.UtcTicks % TimeSpan.TicksPerHour), TimeSpan.Zero) + TimeSpan.FromHours(1);
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await context.DkimKeys.Where(k => late.Contains(k.Id) && (k.NeededUntil == null || k.NeededUntil < hour))
            .ExecuteUpdateAsync(set => set.SetProperty(k => k.NeededUntil, hour), cancel);
        foreach (var key in late) neededUntil.AddOrUpdate(key, hour, (_, known) => known > hour ? known : hour);
    }

    private static string NotAllowed(Mailbox? from, bool isLimited) =>
        from is not null ? $"The account may not send from {from.Address}: neither the domain nor the address is its own."
        : isLimited ? "The message needs a from: the account has no address in the domains that the key is limited to."
        : "The message needs a from: the account has no address.";

    private async Task<Sender?> ReadAsync(long accountId, Mailbox? from, IReadOnlyCollection<long>? domains, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var account = await context.Accounts.AsNoTracking().SingleOrDefaultAsync(a => a.Id == accountId && a.DeletedAt == null, cancel);
        if (account is null) return null;
        from = from is null ? await DefaultAsync(context, accountId, domains, cancel) : new Mailbox(await NameAsync(context, accountId, from.Address, cancel), from.Address);
        if (from is null) return null;
        var domain = await context.Domains.AsNoTracking().Include(d => d.DkimKeys).SingleOrDefaultAsync(d => d.Name == from.Address.Domain.Ascii, cancel);
        if (!await MaySendAsync(context, account, domain, from.Address, cancel)) return null;
        var returnPathDomain = domain?.ReturnPathDomain
            ?? await context.Domains.Where(d => d.AccountId == accountId).OrderBy(d => d.Id).Select(d => d.ReturnPathDomain).FirstOrDefaultAsync(cancel);
        return new Sender(
            from, domain?.Id, domain is null ? [] : [.. domain.DkimKeys.Where(k => k.Active).OrderBy(k => k.Id).Select(k => new SigningKey(k.Id, Signer(domain, k)))],
            returnPathDomain, account.ReturnPath, TimeSpan.FromSeconds(account.QueueLifeSeconds),
            RetrySchedule.TryParse(account.RetrySchedule, out var retries) ? retries : RetrySchedule.Default,
            account.SuspendedAt is not null ? SenderStop.AccountSuspended : account.PausedAt is not null ? SenderStop.AccountPaused
                : domain?.SuspendedAt is not null ? SenderStop.DomainSuspended : null);
    }

    private static async Task<Mailbox?> DefaultAsync(MailDbContext context, long accountId, IReadOnlyCollection<long>? domains, CancellationToken cancel)
    {
        var first = await context.Addresses.Where(a => a.AccountId == accountId && (domains == null || domains.Contains(a.DomainId))).OrderBy(a => a.Id)
            .Join(context.Domains, a => a.DomainId, d => d.Id, (a, d) => new { a.LocalPart, a.DisplayName, d.Name }).FirstOrDefaultAsync(cancel);
        return first is not null && MailAddress.TryCreate(first.LocalPart, MailDomain.Parse(first.Name), out var address, out _) ? new Mailbox(first.DisplayName, address) : null;
    }

    private static Task<string?> NameAsync(MailDbContext context, long accountId, MailAddress address, CancellationToken cancel)
    {
        var localPart = address.LocalPart.ToLowerInvariant();
        return context.Addresses.Where(a => a.AccountId == accountId && a.LocalPart == localPart)
            .Join(context.Domains.Where(d => d.Name == address.Domain.Ascii), a => a.DomainId, d => d.Id, (a, _) => a.DisplayName).SingleOrDefaultAsync(cancel);
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
