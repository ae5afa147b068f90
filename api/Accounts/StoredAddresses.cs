using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using Npgsql;
using Address = MoxApi.Migrations.Accounts.Address;

namespace MoxApi.Api.Accounts;

/// <summary>An address as it is stored, and the name of its domain.</summary>
internal sealed record NamedAddress(Address Row, string Domain)
{
    /// <summary>The address for people.</summary>
    public string Text => MailAddress.TryCreate(Row.LocalPart, MailDomain.Parse(Domain), out var address, out _) ? address.ToString() : $"{Row.LocalPart}@{Domain}";
}

/// <summary>The addresses of accounts, over HTTP and on the command line.</summary>
internal sealed class StoredAddresses(IDbContextFactory<MailDbContext> contexts, TimeProvider time)
{
    /// <summary>Adds an address to an account; null where there is no such account.</summary>
    /// <param name="account">The account that gets its mail and may send from it.</param>
    /// <param name="address">In a domain of this installation, whoever owns it.</param>
    /// <param name="displayName">The display name of sends that name no From; absent or empty for none.</param>
    /// <param name="cancel">Gives up.</param>
    /// <exception cref="RefusalException">The domain is not here, or the address is taken.</exception>
    public async Task<NamedAddress?> AddAsync(long account, MailAddress address, string? displayName, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        if (!await context.HoldAccountAsync(account, cancel)) return null;
        var domain = await context.Domains.AsNoTracking().SingleOrDefaultAsync(d => d.Name == address.Domain.Ascii, cancel)
            ?? throw new RefusalException(Refusal.Of(FaultCodes.UnknownReference, "/address", $"There is no domain {address.Domain} here; add it first."));
        var row = new Address
        {
            AccountId = account,
            DomainId = domain.Id,
            LocalPart = address.LocalPart.ToLowerInvariant(),
            DisplayName = NullIfEmpty(displayName),
            CreatedAt = time.GetUtcNow(),
        };
        context.Add(row);
        try
        {
            await context.SaveChangesAsync(cancel);
        }
        catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            throw new RefusalException(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.AlreadyExists, $"There is an address {address} already."));
        }
        await transaction.CommitAsync(cancel);
        return new NamedAddress(row, domain.Name);
    }

    /// <summary>A page of an account's addresses, newest first.</summary>
    public async Task<Page<T>> ListAsync<T>(long account, PageRequest page, PublicIds ids, Func<NamedAddress, T> map, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var domains = await context.Domains.Where(d => Of(context, account).Any(a => a.DomainId == d.Id)).ToDictionaryAsync(d => d.Id, d => d.Name, cancel);
        return await Of(context, account).Where(a => domains.Keys.Contains(a.DomainId)).ToPageAsync(
            page, PublicIdKind.Address, ids, row => row.Id, row => map(new NamedAddress(row, domains[row.DomainId])), cancel);
    }

    /// <summary>An address of an account; null where it has none of this id.</summary>
    public async Task<NamedAddress?> FindAsync(long account, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await Of(context, account).AsNoTracking().Where(a => a.Id == id)
            .Join(context.Domains, a => a.DomainId, d => d.Id, (a, d) => new NamedAddress(a, d.Name)).SingleOrDefaultAsync(cancel);
    }

    /// <summary>Sets or takes away a display name; null where the account has no address of this id.</summary>
    public async Task<NamedAddress?> ChangeAsync(long account, long id, string displayName, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var name = NullIfEmpty(displayName);
        await Of(context, account).Where(a => a.Id == id).ExecuteUpdateAsync(set => set.SetProperty(a => a.DisplayName, name), cancel);
        return await FindAsync(account, id, cancel);
    }

    /// <summary>Removes an address: it receives no more mail. What was sent from it goes on, for it was accepted.</summary>
    /// <returns>False where the account has no address of this id.</returns>
    public async Task<bool> RemoveAsync(long account, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await Of(context, account).Where(a => a.Id == id).ExecuteDeleteAsync(cancel) > 0;
    }

    private static IQueryable<Address> Of(MailDbContext context, long account) => context.Addresses.Where(a => a.AccountId == account);

    private static string? NullIfEmpty(string? text) => string.IsNullOrEmpty(text) ? null : text;
}
