using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.OpenApi.Accounts;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using Npgsql;
using Account = MoxApi.Migrations.Accounts.Account;

namespace MoxApi.Api.Accounts;

/// <summary>What admins do with accounts, over HTTP and on the command line. Requests are in order: see <see cref="AccountRules"/>.</summary>
internal sealed class StoredAccounts(IDbContextFactory<MailDbContext> contexts, Stops stops, TimeProvider time)
{
    /// <summary>The accounts that are not deleted.</summary>
    public static IQueryable<Account> In(MailDbContext context) => context.Accounts.Where(a => a.DeletedAt == null);

    /// <summary>Makes an account with an Inbox.</summary>
    /// <exception cref="RefusalException">The name is taken.</exception>
    public async Task<Account> CreateAsync(CreateAccountRequest request, CancellationToken cancel)
    {
        var row = new Account { Name = request.Name, CreatedAt = time.GetUtcNow() };
        AccountWire.Apply(request, row);
        if (request.Password is { } password) row.PasswordHash = await PasswordHash.CreateAsync(password, cancel);
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        context.Add(row);
        await SaveAsync(context, row, cancel);
        context.Add(new Mailbox { AccountId = row.Id, Name = InboxPlaces.Inbox });
        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        return row;
    }

    /// <summary>A page of all accounts, newest first.</summary>
    public async Task<Page<T>> ListAsync<T>(PageRequest page, PublicIds ids, Func<Account, T> map, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await In(context).ToPageAsync(page, PublicIdKind.Account, ids, row => row.Id, map, cancel);
    }

    /// <summary>An account; null where there is none.</summary>
    public async Task<Account?> FindAsync(long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await In(context).AsNoTracking().SingleOrDefaultAsync(a => a.Id == id, cancel);
    }

    /// <summary>Changes what is given; null where there is no such account.</summary>
    /// <exception cref="RefusalException">The name is taken.</exception>
    public async Task<Account?> ChangeAsync(long id, ChangeAccountRequest request, CancellationToken cancel)
    {
        // The hash takes time: no transaction waits for it.
        var hash = request.Password is { } password ? await PasswordHash.CreateAsync(password, cancel) : null;
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await In(context).SingleOrDefaultAsync(a => a.Id == id, cancel) is not { } row) return null;
        row.Name = request.Name ?? row.Name;
        row.PasswordHash = hash ?? row.PasswordHash;
        AccountWire.Apply(request, row);
        AccountWire.Reset(request.Reset ?? [], row);
        await SaveAsync(context, row, cancel);
        return row;
    }

    /// <summary>Stops the account from sending and holds what it has queued; null where there is no such account.</summary>
    public async Task<Account?> SuspendAsync(long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await In(context).SingleOrDefaultAsync(a => a.Id == id, cancel) is not { } row) return null;
        row.SuspendedAt ??= time.GetUtcNow();
        await context.SaveChangesAsync(cancel);
        await stops.HoldAccountAsync(id, cancel);
        return row;
    }

    /// <summary>Ends a suspension, and a pause too, and releases what was held for it; null where there is no such account.</summary>
    public async Task<Account?> ResumeAsync(long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await In(context).SingleOrDefaultAsync(a => a.Id == id, cancel) is not { } row) return null;
        (row.SuspendedAt, row.PausedAt, row.PauseReason) = (null, null, null);
        await context.SaveChangesAsync(cancel);
        await stops.ReleaseAccountAsync(id, cancel);
        return row;
    }

    /// <summary>
    /// Deletes an account: from now on nobody acts for it, nothing is posted to its webhooks, and what it has queued is canceled. Its messages and lists go
    /// later, in pieces.
    /// </summary>
    /// <returns>False where there is no such account.</returns>
    public async Task<bool> DeleteAsync(long id, CancellationToken cancel)
    {
        await using (var context = await contexts.CreateDbContextAsync(cancel))
        {
            await using var transaction = await context.Database.BeginTransactionAsync(cancel);
            // No account may have such a name, so its own is free again at once.
            var (now, name) = (time.GetUtcNow(), $"\x7f{id}");
            var marked = await In(context).Where(a => a.Id == id).ExecuteUpdateAsync(
                set => set.SetProperty(a => a.DeletedAt, now).SetProperty(a => a.Name, name).SetProperty(a => a.PasswordHash, (string?)null), cancel);
            if (marked == 0) return false;
            await context.ApiKeys.Where(k => k.AccountId == id).ExecuteDeleteAsync(cancel);
            await context.Addresses.Where(a => a.AccountId == id).ExecuteDeleteAsync(cancel);
            await context.WebhookEndpoints.Where(w => w.AccountId == id).ExecuteDeleteAsync(cancel);
            await transaction.CommitAsync(cancel);
        }
        // Should this be cut short, the chore that deletes the rest begins with the same.
        await stops.EndAccountAsync(id, cancel);
        return true;
    }

    private static async Task SaveAsync(MailDbContext context, Account row, CancellationToken cancel)
    {
        try
        {
            await context.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw new RefusalException(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.AlreadyExists, $"There is an account \"{row.Name}\" already."));
        }
    }
}
