using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Problems;
using MoxApi.Delivery.Domains;
using MoxApi.Migrations;
using MoxApi.OpenApi.Errors;
using DkimKey = MoxApi.Migrations.Accounts.DkimKey;
using Domain = MoxApi.Migrations.Accounts.Domain;

namespace MoxApi.Api.Domains;

/// <summary>
/// The rotation of a domain's DKIM keys: a new pair is made and published, then takes the place of the active ones, whose records stay published until
/// nothing unsent needs them. A time set for the change is stored as the active keys' <see cref="DkimKey.RetiredAt"/>.
/// </summary>
internal sealed class StoredDkimKeys(StoredDomains domains, IDbContextFactory<MailDbContext> contexts, DomainSetup setup, TimeProvider time)
{
    /// <summary>The most keys of a domain.</summary>
    public const int MostPerDomain = 20;

    /// <summary>Makes a pair of keys that sign nothing yet; null where there is no such domain.</summary>
    /// <param name="domain">The domain.</param>
    /// <param name="activateAt">When they take the place of the active ones; absent: at <see cref="ActivateAsync"/>.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusalException">It has a new pair already, or too many keys.</exception>
    public Task<Domain?> CreateAsync(long domain, DateTimeOffset? activateAt, CancellationToken cancel) => domains.ChangeAsync(domain, row =>
    {
        if (Next(row).Any()) throw Conflict("There are new keys already: activate or delete these first.");
        if (row.DkimKeys.Count + 2 > MostPerDomain) throw Conflict($"A domain has at most {MostPerDomain} keys: delete those that are removable first.");
        row.DkimKeys.AddRange(setup.NewKeys(row, active: false));
        foreach (var key in row.DkimKeys.Where(k => k.Active)) key.RetiredAt = activateAt;
    }, cancel);

    /// <summary>Lets the new keys sign, and retires those that did; null where there is no such domain.</summary>
    /// <exception cref="RefusalException">There are no new keys.</exception>
    public Task<Domain?> ActivateAsync(long domain, CancellationToken cancel) => domains.ChangeAsync(domain, row =>
    {
        if (!Next(row).Any()) throw Conflict("There are no new keys to activate.");
        Rotate(row, time.GetUtcNow());
    }, cancel);

    /// <summary>Ceases to sign with a key; null where there is no such domain or key.</summary>
    /// <exception cref="RefusalException">It is not active, or the only one that is.</exception>
    public Task<Domain?> RetireAsync(long domain, string selector, CancellationToken cancel) => ChangeAsync(domain, selector, (row, key) =>
    {
        if (!key.Active) throw Conflict("The key is not active.");
        if (row.DkimKeys.Count(k => k.Active) == 1) throw Conflict("It is the only active key: messages would go unsigned. Activate new ones first.");
        (key.Active, key.RetiredAt) = (false, time.GetUtcNow());
    }, cancel);

    /// <summary>Deletes a key that was never active, or that nothing needs any more; null where there is no such domain or key.</summary>
    /// <exception cref="RefusalException">It is in use, or needed still.</exception>
    public Task<Domain?> DeleteAsync(long domain, string selector, CancellationToken cancel) => ChangeAsync(domain, selector, (row, key) =>
    {
        var state = key.StateAt(time.GetUtcNow());
        if (state == DkimKeyState.Active) throw Conflict("The key is active: retire it first.");
        if (state == DkimKeyState.Retired) throw Conflict("Messages that the key signed may still be on their way: it can be deleted when it is removable.");
        row.DkimKeys.Remove(key);
        // Without new keys there is nothing to change to.
        if (Next(row).Any()) return;
        foreach (var active in row.DkimKeys.Where(k => k.Active)) active.RetiredAt = null;
    }, cancel);

    /// <summary>Makes the changes whose time has come; returns their number.</summary>
    public async Task<int> RotateDueAsync(CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var due = await context.DkimKeys.Where(k => k.Active && k.RetiredAt <= now).Select(k => k.DomainId).Distinct().ToListAsync(cancel);
        foreach (var domain in due) await domains.ChangeAsync(domain, row => Rotate(row, now), cancel);
        return due.Count;
    }

    private static IEnumerable<DkimKey> Next(Domain domain) => domain.DkimKeys.Where(k => !k.Active && k.RetiredAt is null);

    private static void Rotate(Domain domain, DateTimeOffset now)
    {
        var next = Next(domain).ToList();
        if (next.Count == 0) return;
        foreach (var key in domain.DkimKeys.Where(k => k.Active)) (key.Active, key.RetiredAt) = (false, now);
        foreach (var key in next) key.Active = true;
    }

    private async Task<Domain?> ChangeAsync(long domain, string selector, Action<Domain, DkimKey> change, CancellationToken cancel)
    {
        var found = false;
        var changed = await domains.ChangeAsync(domain, row =>
        {
            if (row.DkimKeys.Find(k => k.Selector == selector) is not { } key) return;
            found = true;
            change(row, key);
        }, cancel);
        return found ? changed : null;
    }

    private static RefusalException Conflict(string why) => new(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.Conflict, why));
}
