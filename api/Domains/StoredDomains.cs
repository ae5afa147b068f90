using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Accounts;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Delivery.Domains;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using Npgsql;
using Domain = MoxApi.Migrations.Accounts.Domain;

namespace MoxApi.Api.Domains;

/// <summary>What admins do with domains, over HTTP and on the command line.</summary>
internal sealed class StoredDomains(IDbContextFactory<MailDbContext> contexts, DomainSetup setup, Stops stops, TimeProvider time)
{
    /// <summary>Makes a domain of an account, with two DKIM keys.</summary>
    /// <exception cref="RefusalException">There is no such account, or there is such a domain.</exception>
    public async Task<Domain> CreateAsync(long account, MailDomain name, MailDomain? returnPathDomain, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        if (!await context.HoldAccountAsync(account, cancel))
            throw new RefusalException(Refusal.Of(FaultCodes.UnknownReference, "/accountId", "There is no such account."));
        var taken = new RefusalException(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.AlreadyExists, $"There is a domain {name} already."));
        if (await context.Domains.AnyAsync(d => d.Name == name.Ascii, cancel)) throw taken;
        var row = setup.Create(account, name, returnPathDomain);
        context.Add(row);
        try
        {
            await context.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw taken;
        }
        await transaction.CommitAsync(cancel);
        return row;
    }

    /// <summary>A page of the domains that may be seen, newest first.</summary>
    public async Task<Page<T>> ListAsync<T>(long? within, PageRequest page, PublicIds ids, Func<Domain, T> map, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await In(context, within).ToPageAsync(page, PublicIdKind.Domain, ids, row => row.Id, map, cancel);
    }

    /// <summary>A domain with its keys; null where there is none, or not within the account.</summary>
    public async Task<Domain?> FindAsync(long? within, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await In(context, within).AsNoTracking().Include(d => d.DkimKeys).SingleOrDefaultAsync(d => d.Id == id, cancel);
    }

    /// <summary>Changes a domain with its keys, one change at a time; null where there is no such domain.</summary>
    /// <exception cref="RefusalException">The change says so; then nothing is changed.</exception>
    public async Task<Domain?> ChangeAsync(long id, Action<Domain> change, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        await context.Database.ExecuteSqlAsync($"SELECT 1 FROM domain WHERE id = {id} FOR NO KEY UPDATE", cancel);
        if (await context.Domains.Include(d => d.DkimKeys).SingleOrDefaultAsync(d => d.Id == id, cancel) is not { } row) return null;
        change(row);
        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return row;
    }

    /// <summary>Changes where the return paths of new messages live; null where there is no such domain.</summary>
    public Task<Domain?> ChangeAsync(long id, MailDomain returnPathDomain, CancellationToken cancel) => ChangeAsync(id, row => row.ReturnPathDomain = returnPathDomain.Ascii, cancel);

    /// <summary>Stops everybody from sending from the domain and holds what is queued from it; null where there is no such domain.</summary>
    public async Task<Domain?> SuspendAsync(long id, CancellationToken cancel)
    {
        if (await ChangeAsync(id, row => row.SuspendedAt ??= time.GetUtcNow(), cancel) is not { } row) return null;
        await stops.HoldDomainAsync(id, cancel);
        return row;
    }

    /// <summary>Ends a suspension and releases what was held for it; null where there is no such domain.</summary>
    public async Task<Domain?> ResumeAsync(long id, CancellationToken cancel)
    {
        if (await ChangeAsync(id, row => row.SuspendedAt = null, cancel) is not { } row) return null;
        await stops.ReleaseDomainAsync(id, cancel);
        return row;
    }

    /// <summary>
    /// Deletes a domain with its keys and the addresses in it, whoever has them. What is queued from it is canceled first; should that be cut short, the domain
    /// is there still, suspended.
    /// </summary>
    /// <returns>False where there is no such domain.</returns>
    public async Task<bool> DeleteAsync(long id, CancellationToken cancel)
    {
        if (await ChangeAsync(id, row => row.SuspendedAt ??= time.GetUtcNow(), cancel) is null) return false;
        await stops.EndDomainAsync(id, cancel);
        return true;
    }

    // The domains of one account, or those of all.
    private static IQueryable<Domain> In(MailDbContext context, long? within) => context.Domains.Where(d => within == null || d.AccountId == within);
}
