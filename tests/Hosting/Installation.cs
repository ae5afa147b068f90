using System.Security.Cryptography;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Delivery.Domains;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Secrets;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Hosting;

/// <summary>
/// What a production installation is made of, for tests: a database with an account <c>acme</c>, its domain <c>acme.example</c> and an API key; a DNS
/// server; and the settings for nodes that use them.
/// </summary>
internal sealed class Installation : IAsyncDisposable
{
    private Installation(string connectionString, string masterKey, string apiKey)
    {
        (ConnectionString, ApiKey) = (connectionString, apiKey);
        Database = NpgsqlDataSource.Create(connectionString);
        Settings = new Dictionary<string, string>
        {
            ["Database__ConnectionString"] = connectionString,
            ["Secrets__MasterKey"] = masterKey,
            ["Resolver__Servers__0"] = Dns.EndPoint.ToString(),
            ["Node__HostName"] = "mail.acme.example",
            ["Listeners__Http__0"] = "127.0.0.1:0",
        };
    }

    public string ConnectionString { get; }

    /// <summary>With every scope.</summary>
    public string ApiKey { get; }

    public NpgsqlDataSource Database { get; }

    public FakeDns Dns { get; } = new();

    /// <summary>The settings of a node, to be added to.</summary>
    public Dictionary<string, string> Settings { get; }

    public static async Task<Installation> CreateAsync(TestPostgres postgres) => await CreateAsync(await postgres.CreateDatabaseAsync());

    /// <summary>In a database that has the schema.</summary>
    public static async Task<Installation> CreateAsync(string connectionString)
    {
        var masterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(MasterKey.Size));
        var installation = new Installation(connectionString, masterKey, ApiKeyHash.NewKey());
        await installation.FillAsync(new SecretBox(MasterKey.Parse(masterKey)));
        return installation;
    }

    /// <summary>The data model.</summary>
    public MailDbContext Open()
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, Database);
        return new MailDbContext(options.Options);
    }

    /// <summary>Starts a node with the common settings and some of its own.</summary>
    public Task<MoxApiProcess> StartNodeAsync(string name, params (string Name, string Value)[] settings)
    {
        var all = new Dictionary<string, string>(Settings) { ["Node__Name"] = name };
        foreach (var (key, value) in settings) all[key] = value;
        return MoxApiProcess.StartAsync(all);
    }

    /// <summary>Asserts that the books balance.</summary>
    public async Task<BookReport> AssertBooksBalanceAsync()
    {
        var report = await Books.CheckAsync(Database, TestContext.Current.CancellationToken);
        Assert.Empty(report.Faults);
        return report;
    }

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        Dns.Dispose();
    }

    private async Task FillAsync(SecretBox secrets)
    {
        await using var context = Open();
        var now = TimeProvider.System.GetUtcNow();
        var account = new Account { Name = "acme", CreatedAt = now };
        context.Add(account);
        await context.SaveChangesAsync();
        var domain = new DomainSetup(secrets, TimeProvider.System).Create(account.Id, MailDomain.Parse("acme.example"));
        context.Add(domain);
        await context.SaveChangesAsync();
        context.Add(new Address { AccountId = account.Id, DomainId = domain.Id, LocalPart = "receipts", DisplayName = "Acme, Inc.", CreatedAt = now });
        context.Add(new MoxApi.Migrations.Mailboxes.Mailbox { AccountId = account.Id, Name = "Inbox" });
        context.Add(new ApiKey { AccountId = account.Id, Name = "test", Hash = ApiKeyHash.Of(ApiKey), Prefix = ApiKeyHash.Shown(ApiKey), Scopes = [.. Scopes.All], CreatedAt = now });
        await context.SaveChangesAsync();
    }
}
