using System.Net;
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

namespace MoxApi.Tests.Hosting;

/// <summary>
/// What a production installation is made of, for tests: a database with an account <c>acme</c>, its domain <c>acme.example</c> and an API key; a DNS
/// server; and the settings for nodes that use them.
/// </summary>
internal sealed class Installation : IAsyncDisposable
{
    private readonly TemporaryCluster? home;

    private Installation(string connectionString, string masterKey, string apiKey, TemporaryCluster? home = null)
    {
        (ConnectionString, ApiKey, this.home) = (connectionString, apiKey, home);
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

    /// <summary>In a database that has the schema.</summary>
    public static async Task<Installation> CreateAsync(string connectionString)
    {
        var masterKey = Convert.ToBase64String(RandomNumberGenerator.GetBytes(MasterKey.Size));
        var installation = new Installation(connectionString, masterKey, ApiKeyHash.NewKey());
        await installation.FillAsync(new SecretBox(MasterKey.Parse(masterKey)));
        return installation;
    }

    /// <summary>One in a copy of this one's database, which is deleted at its end. This one was disposed: nobody is connected to it.</summary>
    public async Task<Installation> CopyAsync(TemporaryCluster cluster) =>
        new(await cluster.CopyDatabaseAsync(ConnectionString), Settings["Secrets__MasterKey"], ApiKey, cluster);

    /// <summary>The data model.</summary>
    public MailDbContext Open()
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, Database);
        return new MailDbContext(options.Options);
    }

    /// <summary>Starts a node with the common settings and some of its own.</summary>
    public Task<MoxApiProcess> StartNodeAsync(string name, params (string Name, string Value)[] settings) => StartNodeWithLogAsync(name, logFile: null, settings);

    /// <summary>The same, with its log in a file.</summary>
    public Task<MoxApiProcess> StartNodeWithLogAsync(string name, string? logFile, IEnumerable<(string Name, string Value)> settings)
    {
        var all = new Dictionary<string, string>(Settings) { ["Node__Name"] = name };
        foreach (var (key, value) in settings) all[key] = value;
        return MoxApiProcess.StartWithLogAsync(all, logFile);
    }

    /// <summary>Has a domain's mail delivered to a server on loopback, by an MX record with a public address that the nodes connect elsewhere.</summary>
    public void Deliver(string domain, IPEndPoint server)
    {
        var number = Settings.Keys.Count(k => k.StartsWith("ConnectMap__", StringComparison.Ordinal));
        var address = $"198.18.{number / 250}.{(number % 250) + 1}"; // RFC 2544: the network of benchmarks has room for many.
        Dns.Mx(domain, 10, $"mx.{domain}").Address($"mx.{domain}", address);
        Settings[$"ConnectMap__{number}"] = $"{address}:25={server}";
    }

    /// <summary>The attempts for a message, in order.</summary>
    public async Task<List<Attempt>> AttemptsAsync(string messageId)
    {
        await using var context = Open();
        return await context.Attempts.AsNoTracking().Where(a => context.Messages.Any(m => m.Id == a.MessageId && m.MessageIdHeader == messageId)).OrderBy(a => a.Number).ToListAsync();
    }

    /// <summary>How often each message was interrupted, by Message-ID: a node held it and died, so it may have been delivered.</summary>
    public async Task<Dictionary<string, int>> InterruptionsAsync()
    {
        await using var context = Open();
        return await context.Attempts.Where(a => a.Outcome == AttemptOutcome.Interrupted)
            .Join(context.Messages, a => a.MessageId, m => m.Id, (_, m) => m.MessageIdHeader).GroupBy(id => id).ToDictionaryAsync(g => g.Key, g => g.Count());
    }

    /// <summary>Waits until nothing is queued.</summary>
    public Task QueueIsEmptyAsync() => CountIsAsync("SELECT count(*) FROM queue", 0);

    /// <summary>Waits until a count is as it should be.</summary>
    public Task CountIsAsync(string statement, long expected) => Eventually.HoldsAsync(
        async () =>
        {
            await using var command = Database.CreateCommand(statement);
            return await command.ExecuteScalarAsync() is long count && count == expected;
        },
        $"{expected} from {statement}");

    public async ValueTask DisposeAsync()
    {
        await Database.DisposeAsync();
        Dns.Dispose();
        if (home is not null) await home.DropDatabaseAsync(ConnectionString);
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
