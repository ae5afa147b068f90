using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations;
using MoxApi.Migrations.Messages;

namespace MoxApi.Api.Accounts;

/// <summary>
/// What becomes of queued mail when an account or a domain may not send any more. The account or domain is marked first, which refuses new sends; then its
/// queue is walked in batches. What was in a worker's hands, or being accepted, at that moment is found by the next walk: for accounts
/// <see cref="Migrations.Pausing.PauseWatch"/> makes one every minute, for the rest <see cref="CatchUpAsync"/>, which also ends what a node's death cut short
/// and releases what was held just when its sender was let go on.
/// </summary>
internal sealed class Stops(IDbContextFactory<MailDbContext> contexts, RecipientChanges changes)
{
    /// <summary>Holds what an account has queued.</summary>
    public Task HoldAccountAsync(long account, CancellationToken cancel) => changes.ApplyToAccountAsync(account, RecipientChange.Hold, cancel);

    /// <summary>Releases what is held for an account, but for what its domain's suspension still holds.</summary>
    public Task ReleaseAccountAsync(long account, CancellationToken cancel) => changes.ApplyToAccountAsync(account, RecipientChange.Release, cancel);

    /// <summary>Holds what is queued from a domain, whoever sent it.</summary>
    public Task HoldDomainAsync(long domain, CancellationToken cancel) => changes.ApplyToDomainAsync(domain, RecipientChange.Hold, cancel);

    /// <summary>Releases what is held from a domain, but for what its sender's suspension still holds.</summary>
    public Task ReleaseDomainAsync(long domain, CancellationToken cancel) => changes.ApplyToDomainAsync(domain, RecipientChange.Release, cancel);

    /// <summary>Cancels what is queued from a domain that was marked as suspended, and deletes it with its keys and addresses.</summary>
    public async Task EndDomainAsync(long domain, CancellationToken cancel)
    {
        await changes.ApplyToDomainAsync(domain, RecipientChange.Cancel, cancel);
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await context.Domains.Where(d => d.Id == domain).ExecuteDeleteAsync(cancel);
        // What was accepted since the first walk, by a node that had not heard of it yet.
        await changes.ApplyToDomainAsync(domain, RecipientChange.Cancel, cancel);
    }

    /// <summary>Cancels what an account that was marked as deleted has queued, and what is queued from its domains, and deletes these.</summary>
    public async Task EndAccountAsync(long account, CancellationToken cancel)
    {
        await changes.ApplyToAccountAsync(account, RecipientChange.Cancel, cancel);
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await context.Domains.Where(d => d.AccountId == account && d.SuspendedAt == null).ExecuteUpdateAsync(set => set.SetProperty(d => d.SuspendedAt, d => d.CreatedAt), cancel);
        foreach (var domain in await context.Domains.Where(d => d.AccountId == account).Select(d => d.Id).ToListAsync(cancel)) await EndDomainAsync(domain, cancel);
    }

    /// <summary>Walks the queues of deleted accounts and suspended domains once more, and what is held of everybody else.</summary>
    public async Task CatchUpAsync(CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        foreach (var account in await context.Accounts.Where(a => a.DeletedAt != null).Select(a => a.Id).ToListAsync(cancel)) await EndAccountAsync(account, cancel);
        foreach (var domain in await context.Domains.Where(d => d.SuspendedAt != null).Select(d => d.Id).ToListAsync(cancel)) await HoldDomainAsync(domain, cancel);
        foreach (var account in await HeldInVainAsync(context, cancel)) await ReleaseAccountAsync(account, cancel);
    }

    // One probe of an index for each account. Whose mail is held for a suspended domain alone is among them; of that, nothing is released.
    private static Task<List<long>> HeldInVainAsync(MailDbContext context, CancellationToken cancel) => context.Accounts
        .Where(a => a.SuspendedAt == null && a.PausedAt == null && a.DeletedAt == null && context.Recipients.Any(r => r.AccountId == a.Id && r.Status == RecipientStatus.Held))
        .OrderBy(a => a.Id).Select(a => a.Id).ToListAsync(cancel);
}
