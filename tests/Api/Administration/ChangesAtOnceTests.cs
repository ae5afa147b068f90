using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

/// <summary>Requests that meet at one thing: each waits for the one before it, and looks at what has become of the thing.</summary>
public sealed class ChangesAtOnceTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;
    private string domain = null!;
    private string account = null!;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres);
        domain = "/v1/domains/" + (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        account = "/v1/accounts/" + (await host.GetAsync(domain)).Json.GetProperty("accountId").GetString();
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_recipient_that_all_want_to_change_is_changed_by_one_after_the_other()
    {
        var later = TimeProvider.System.GetUtcNow().AddDays(1);
        var sent = await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org", "sam@example.org" }, text = "Hello", sendAt = later });
        var message = sent.Json.GetProperty("id").GetString()!;
        await using var other = await OtherTransaction.BeginAsync(host.Installation.Database, "UPDATE queue SET due_at = due_at", "UPDATE recipient SET next_attempt_at = next_attempt_at");

        var changes = new[]
        {
            host.PatchAsync($"/v1/messages/{message}", new { sendAt = later.AddDays(1) }), host.PostAsync($"/v1/messages/{message}/cancel"), host.PostAsync($"{account}/suspend"), host.DeleteAsync(domain),
        };
        await other.IsAwaitedAsync(by: changes.Length);
        await other.CommitAsync();

        Assert.All(await Task.WhenAll(changes), answer => Assert.True(answer.Status < 500, answer.Text));
        Assert.Equal(["canceled", "canceled"], await host.StatusesAsync(message));
        Assert.Empty(host.Log.Errors);
    }

    [Fact]
    public async Task Who_moves_a_webhook_while_an_admin_lets_it_be_private_is_asked_for_the_admins_leave()
    {
        var key = await host.KeyAsync("acme", StoredApiHost.AccountScopes);
        var made = await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/" }, key);
        var webhook = $"/v1/webhooks/{made.Json.GetProperty("id").GetString()}";
        await using var admin = await OtherTransaction.BeginAsync(host.Installation.Database, "UPDATE webhook_endpoint SET allow_private = true");

        var moving = host.PatchAsync(webhook, new { url = "https://inside.acme.example/" }, key);
        await admin.IsAwaitedAsync();
        await admin.CommitAsync();

        var answer = await moving;
        Assert.True(answer is { Status: 403, Code: "missing_scope" }, answer.Text);
        Assert.Equal("https://app.acme.example/", (await host.GetAsync(webhook)).Json.GetProperty("url").GetString());
    }

    [Fact]
    public async Task What_is_added_to_an_account_while_it_is_deleted_is_refused()
    {
        var made = (await host.PostAsync("/v1/accounts", new { name = "leaving" })).Json.GetProperty("id").GetString()!;
        var key = await host.KeyAsync("leaving", StoredApiHost.AccountScopes);
        var stored = host.Ids.TryRead(MoxApi.Migrations.Identifiers.PublicIdKind.Account, made, out var id) ? id : 0;
        Assert.Equal(200, (await host.GetAsync("/v1/webhooks", key)).Status); // So that the key is known.
        await using var deletion = await OtherTransaction.BeginAsync(host.Installation.Database, $"UPDATE account SET deleted_at = now(), name = 'gone' WHERE id = {stored}");

        var additions = new[]
        {
            host.PostAsync($"/v1/accounts/{made}/addresses", new { address = "leaving@acme.example" }), host.PostAsync("/v1/domains", new { name = "leaving.example", accountId = made }),
            host.PostAsync("/v1/api-keys", new { name = "late", accountId = made }), host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/" }, key),
        };
        await deletion.IsAwaitedAsync(by: additions.Length);
        await deletion.CommitAsync();

        Assert.Equal([404, 422, 422, 404], (await Task.WhenAll(additions)).Select(answer => answer.Status));
        Assert.Empty(host.Log.Errors);
    }
}
