using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoxApi.Api;
using MoxApi.Api.Access;
using MoxApi.Api.Hosting;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Nodes;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;
using Database = MoxApi.Api.Hosting.Database;
using Installation = MoxApi.Tests.Hosting.Installation;

namespace MoxApi.Tests.Api;

/// <summary>The HTTP API as a node with the role api has it, on a database of its own, in this process. Nothing is delivered.</summary>
internal sealed class StoredApiHost : IAsyncDisposable
{
    private readonly Database database;
    private readonly NodeSession session;
    private readonly PublicIds ids;
    private readonly WebApplication app;
    private readonly HttpClient client = new();

    private StoredApiHost(Installation installation, Database database, NodeSession session, PublicIds ids, WebApplication app, RecordingLog log) =>
        (Installation, this.database, this.session, this.ids, this.app, Log) = (installation, database, session, ids, app, log);

    /// <summary>An account <c>acme</c> with a domain, an address and an admin's key.</summary>
    public Installation Installation { get; }

    /// <summary>What was logged.</summary>
    public RecordingLog Log { get; }

    public PublicIds Ids => ids;

    /// <param name="postgres">The server.</param>
    /// <param name="time">The clock; the system's where absent.</param>
    public static async Task<StoredApiHost> StartAsync(TestPostgres postgres, TimeProvider? time = null)
    {
        var installation = await Installation.CreateAsync(postgres);
        var settings = new Settings
        {
            DataFolder = Path.GetTempPath(),
            Database = new() { ConnectionString = installation.ConnectionString },
            Node = new() { Name = "test", HostName = "mail.acme.example", Roles = [Roles.Api] },
            Listeners = new() { Http = ["127.0.0.1:0"] },
            Secrets = new() { MasterKey = installation.Settings["Secrets__MasterKey"] },
        };
        var database = await Database.OpenAsync(settings, ClusterUse.Command, NullLoggerFactory.Instance, default);
        var session = new NodeSession(database.Source, "test", settings.Node.Effective, new LeaseTimes(), TimeProvider.System, NullLogger<NodeSession>.Instance);
        await session.StartAsync(default);
        var ids = new PublicIds((await SchemaMigrator.CheckAsync(database.Source, default)).IdKey);
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.Services.AddRouting();
        var log = new RecordingLog();
        builder.Logging.ClearProviders().AddProvider(log).SetMinimumLevel(LogLevel.Debug);
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(settings));
        NodeHost.AddShared(builder.Services, settings, database, session, ids, await NodeHost.OpenSecretsAsync(settings, database.Source, default));
        NodeHost.AddRoles(builder.Services, settings);
        if (time is not null) builder.Services.AddSingleton(time);
        var app = builder.Build();
        app.MapMoxApi();
        await app.StartAsync();
        var host = new StoredApiHost(installation, database, session, ids, app, log);
        host.client.BaseAddress = new Uri(app.Services.GetRequiredService<IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.Single());
        return host;
    }

    public Uri Address => client.BaseAddress!;

    public T Get<T>()
        where T : notnull => app.Services.GetRequiredService<T>();

    /// <summary>The data model.</summary>
    public MailDbContext Open() => Installation.Open();

    /// <summary>A key of an account that is made if it is not there.</summary>
    public async Task<string> KeyAsync(string account, params string[] scopes)
    {
        await using var context = Open();
        var owner = await context.Accounts.SingleOrDefaultAsync(a => a.Name == account);
        if (owner is null)
        {
            owner = new Account { Name = account, CreatedAt = TimeProvider.System.GetUtcNow() };
            context.Add(owner);
            await context.SaveChangesAsync();
        }
        var key = ApiKeyHash.NewKey();
        context.Add(new ApiKey { AccountId = owner.Id, Name = string.Join(' ', scopes), Hash = ApiKeyHash.Of(key), Prefix = ApiKeyHash.Shown(key), Scopes = scopes, CreatedAt = TimeProvider.System.GetUtcNow() });
        await context.SaveChangesAsync();
        return key;
    }

    /// <summary>All scopes but admin.</summary>
    public static string[] AccountScopes => [.. Scopes.All.Where(s => s != Scopes.Admin)];

    public Task<Answer> GetAsync(string path, string? key = null) => SendAsync("GET", path, null, key);

    public Task<Answer> PostAsync(string path, object? body = null, string? key = null) => SendAsync("POST", path, body, key);

    public Task<Answer> PatchAsync(string path, object body, string? key = null) => SendAsync("PATCH", path, body, key);

    public Task<Answer> DeleteAsync(string path, string? key = null) => SendAsync("DELETE", path, null, key);

    /// <summary>Sends a request, as the installation's admin unless a key is given.</summary>
    public Task<Answer> SendAsync(string method, string path, object? body, string? key)
    {
        var content = body switch
        {
            null => null,
            HttpContent made => made,
            _ => new StringContent(body as string ?? (body as JsonNode)?.ToJsonString() ?? JsonSerializer.Serialize(body), Encoding.UTF8, "application/json"),
        };
        return SendAsync(new HttpRequestMessage(new HttpMethod(method), path) { Content = content, Headers = { Authorization = new AuthenticationHeaderValue("Bearer", key ?? Installation.ApiKey) } });
    }

    public async Task<Answer> SendAsync(HttpRequestMessage request)
    {
        using var response = await client.SendAsync(request);
        var text = await response.Content.ReadAsStringAsync();
        var isJson = response.Content.Headers.ContentType?.MediaType?.EndsWith("json", StringComparison.Ordinal) == true;
        return new Answer((int)response.StatusCode, response.Headers, response.Content.Headers, text, isJson ? JsonDocument.Parse(text).RootElement : default);
    }

    /// <summary>Sends a message; returns its id.</summary>
    public async Task<string> SendMessageAsync(string to = "jane@example.org", string? key = null, string? from = null)
    {
        var answer = await PostAsync("/v1/messages", from is null ? new { to = new[] { to }, subject = "Hello", text = "It works." } : new { from, to = new[] { to }, subject = "Hello", text = "It works." }, key);
        Assert.True(answer.Status == 202, answer.Text);
        return answer.Json.GetProperty("id").GetString()!;
    }

    /// <summary>The statuses of a message's recipients.</summary>
    public async Task<string[]> StatusesAsync(string message, string? key = null) =>
        [.. (await GetAsync($"/v1/messages/{message}", key)).Json.GetProperty("recipients").EnumerateArray().Select(r => r.GetProperty("status").GetString()!)];

    /// <summary>The types of a message's events, oldest first.</summary>
    public async Task<string[]> EventsAsync(string message) =>
        [.. (await GetAsync($"/v1/messages/{message}/events")).Json.GetProperty("data").EnumerateArray().Select(e => e.GetProperty("type").GetString()!).Reverse()];

    /// <summary>Asserts that the books balance, and ends all.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (TestContext.Current.TestState?.Result != TestResult.Failed) await Installation.AssertBooksBalanceAsync();
        }
        finally
        {
            client.Dispose();
            await app.DisposeAsync();
            await session.DisposeAsync();
            await database.DisposeAsync();
            ids.Dispose();
            await Installation.DisposeAsync();
        }
    }
}
