using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Delivery.Domains;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Secrets;
using MoxApi.OpenApi.Access;
using Npgsql;

namespace MoxApi.Api.Hosting;

/// <summary>The local sandbox: one account with credentials that everybody knows, on loopback only.</summary>
internal static class Sandbox
{
    public const string AccountName = "sandbox";
    public const string Address = "mox@localhost";
    public const string Password = "moxmoxmox";
    public const string ApiKey = "mox_local_sandbox";

    /// <summary>
    /// Refuses a database that was a sandbox's, for anybody could send with its key: outside of the sandbox, listeners may be on other
    /// addresses than loopback, or behind a proxy that is.
    /// </summary>
    /// <exception cref="SettingsException">The sandbox's key is in the database.</exception>
    public static async Task RefuseAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("SELECT EXISTS (SELECT 1 FROM api_key WHERE hash = $1)");
        command.Parameters.Add(new() { Value = ApiKeyHash.Of(ApiKey) });
        if ((bool)(await command.ExecuteScalarAsync(cancel))!)
            throw new SettingsException("The database is a sandbox's, with credentials that everybody knows. Use another one: name another data folder with --data-dir, or set Database:ConnectionString.");
    }

    /// <summary>Makes the account with its address, password, key and Inbox, unless they are there.</summary>
    public static async Task PrepareAsync(NpgsqlDataSource database, SecretBox secrets, CancellationToken cancel)
    {
        if (await IsPreparedAsync(database, cancel)) return;
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, database);
        await using var context = new MailDbContext(options.Options);
        var now = TimeProvider.System.GetUtcNow();
        var account = new Account
        {
            Name = AccountName,
            MaySendAsAnyone = true,
            PasswordHash = await PasswordHash.CreateAsync(Password, cancel),
            // Failing addresses are there to be tried.
            PauseBouncePercent = 100,
            PauseComplaintPercent = 100,
            CreatedAt = now,
        };
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        context.Add(account);
        await context.SaveChangesAsync(cancel);
        var domain = new DomainSetup(secrets, TimeProvider.System).Create(account.Id, MailDomain.Parse("localhost"));
        context.Add(domain);
        await context.SaveChangesAsync(cancel);
        context.Add(new Address { AccountId = account.Id, DomainId = domain.Id, LocalPart = "mox", DisplayName = "Mox", CreatedAt = now });
        context.Add(new Migrations.Mailboxes.Mailbox { AccountId = account.Id, Name = "Inbox" });
        context.Add(new ApiKey { AccountId = account.Id, Name = "sandbox", Hash = ApiKeyHash.Of(ApiKey), Prefix = ApiKey, Scopes = [.. Scopes.All], CreatedAt = now });
        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
    }

    // In plain SQL: a warm start is quicker without EF Core.
    private static async Task<bool> IsPreparedAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("SELECT EXISTS (SELECT 1 FROM account WHERE name = $1)");
        command.Parameters.Add(new() { Value = AccountName });
        return (bool)(await command.ExecuteScalarAsync(cancel))!;
    }
}
