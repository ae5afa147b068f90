using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Accounts;
using MoxApi.Api.Domains;
using MoxApi.Api.Hosting;
using MoxApi.Api.Keys;
using MoxApi.Delivery.Domains;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Secrets;
using Npgsql;

namespace MoxApi.Api.Commands;

/// <summary>What a command works with: the same as the HTTP API.</summary>
internal sealed record CommandContext(Settings Settings, NpgsqlDataSource Database, SecretBox Secrets) : IDbContextFactory<MailDbContext>
{
    private static readonly TimeProvider Time = TimeProvider.System;

    public StoredAccounts Accounts => new(this, Stops, Time);

    public StoredAddresses Addresses => new(this, Time);

    public StoredDomains Domains => new(this, new DomainSetup(Secrets, Time), Stops, Time);

    public StoredApiKeys Keys => new(this, Time);

    // Nodes are not woken: they look by themselves every few seconds.
    private Stops Stops => new(this, new RecipientChanges(Database, new IdBlocks(Database), Time));

    /// <summary>The data model.</summary>
    public MailDbContext Open()
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, Database);
        return new MailDbContext(options.Options);
    }

    /// <inheritdoc/>
    public MailDbContext CreateDbContext() => Open();
}
