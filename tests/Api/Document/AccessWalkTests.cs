using System.Net.Http.Headers;
using System.Text;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Migrations.Accounts;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Document;

/// <summary>Walks over all operations of the document, so that one that is added is tested without anybody's doing.</summary>
public sealed class AccessWalkTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;
    private AcmesThings acme = null!;
    private List<ApiOperation> operations = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres);
        acme = await AcmesThings.MakeAsync(host);
        operations = await ApiOperation.AllAsync(host);
        Assert.True(operations.Count > 40, "The document has lost operations.");
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Another_accounts_things_are_as_if_they_were_not_there_in_every_operation()
    {
        var key = await host.KeyAsync("stranger", StoredApiHost.AccountScopes);
        var login = await StrangersLoginAsync();
        var before = await EverythingAsync();

        foreach (var operation in operations.Where(o => o.HasIds && (o.Scope != Scopes.Admin || o.TakesLogin)))
        {
            var answer = await SendAsync(operation, operation.TakesLogin ? login : Bearer(key));
            Assert.True((answer.Status, answer.Code) == (404, "not_found"), $"{operation} of another account answers {answer.Status}: {answer.Text}");
        }

        Assert.Equal(before, await EverythingAsync());
    }

    [Fact]
    public async Task What_the_walk_asks_for_is_there_for_its_owner()
    {
        foreach (var operation in operations.Where(o => o is { HasIds: true, Method: "GET" }))
        {
            var answer = await SendAsync(operation, Bearer(host.Installation.ApiKey));
            Assert.True(answer.Status == 200, $"{operation} answers its owner {answer.Status}: {answer.Text}");
        }
    }

    [Fact]
    public async Task No_operation_is_open_to_a_key_that_lacks_its_scope()
    {
        foreach (var operation in operations)
        {
            Assert.Contains(operation.Scope, Scopes.All);
            var key = await KeyWithoutAsync(operation.Scope);
            var answer = await SendAsync(operation, Bearer(key));
            Assert.True((answer.Status, answer.Code) == (403, "missing_scope"), $"{operation} answers {answer.Status} without {operation.Scope}: {answer.Text}");
        }
    }

    [Fact]
    public async Task No_operation_is_open_without_credentials()
    {
        foreach (var operation in operations)
        {
            foreach (var credentials in new[] { null, Bearer("mox_wrong"), new AuthenticationHeaderValue("Basic", "!") })
            {
                var answer = await SendAsync(operation, credentials);
                Assert.True((answer.Status, answer.Code) == (401, "unauthorized"), $"{operation} answers {answer.Status}: {answer.Text}");
            }
        }
    }

    [Fact]
    public async Task The_examples_of_requests_are_understood()
    {
        foreach (var operation in operations.Where(o => o.Schema is not null))
        {
            Assert.True(operation.Example is not null, $"{operation} has no example.");
            var answer = await SendAsync(operation, Bearer(host.Installation.ApiKey));
            // An example may not fit the state of a thing, but nothing is wrong with it.
            Assert.True(answer.Status is >= 200 and < 300 or 409, $"{operation} answers its example {answer.Status}: {answer.Text}");
        }
    }

    private Task<Answer> SendAsync(ApiOperation operation, AuthenticationHeaderValue? credentials)
    {
        var request = new HttpRequestMessage(new HttpMethod(operation.Method), operation.PathWith(acme.Of)) { Headers = { Authorization = credentials } };
        if (operation.Example is { } example) request.Content = new StringContent(example.ToJsonString(), Encoding.UTF8, "application/json");
        return host.SendAsync(request);
    }

    private readonly Dictionary<string, string> keysWithout = [];

    private async Task<string> KeyWithoutAsync(string scope)
    {
        if (!keysWithout.TryGetValue(scope, out var key)) keysWithout[scope] = key = await host.KeyAsync("acme", [.. StoredApiHost.AccountScopes.Where(s => s != scope)]);
        return key;
    }

    private async Task<AuthenticationHeaderValue> StrangersLoginAsync()
    {
        await using var context = host.Open();
        var stranger = await context.Accounts.SingleAsync(a => a.Name == "stranger", Cancel);
        stranger.PasswordHash = await PasswordHash.CreateAsync("password");
        context.Add(new Address { AccountId = stranger.Id, DomainId = await context.Domains.Select(d => d.Id).SingleAsync(Cancel), LocalPart = "stranger", CreatedAt = TimeProvider.System.GetUtcNow() });
        await context.SaveChangesAsync(Cancel);
        return new AuthenticationHeaderValue("Basic", Convert.ToBase64String("stranger@acme.example:password"u8));
    }

    // All that is stored, but for when keys were used and nodes were seen.
    private async Task<string> EverythingAsync()
    {
        var tables = new List<string>();
        await using (var list = host.Installation.Database.CreateCommand("SELECT table_name FROM information_schema.tables WHERE table_schema = 'public' AND table_type = 'BASE TABLE' AND table_name <> 'session' ORDER BY 1"))
        {
            await using var reader = await list.ExecuteReaderAsync(Cancel);
            while (await reader.ReadAsync(Cancel)) tables.Add(reader.GetString(0));
        }
        var all = new StringBuilder();
        foreach (var table in tables)
        {
            await using var rows = host.Installation.Database.CreateCommand($"SELECT coalesce(string_agg((to_jsonb(t) - 'last_used_at')::text, E'\\n' ORDER BY (to_jsonb(t) - 'last_used_at')::text), '') FROM \"{table}\" t");
            all.AppendLine(table).AppendLine((string)(await rows.ExecuteScalarAsync(Cancel))!);
        }
        return all.ToString();
    }

    private static AuthenticationHeaderValue Bearer(string key) => new("Bearer", key);
}
