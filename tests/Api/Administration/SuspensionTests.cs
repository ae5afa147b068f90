using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Accounts;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

public sealed class SuspensionTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;
    private string account = null!;
    private string domain = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres);
        domain = "/v1/domains/" + (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        account = "/v1/accounts/" + (await host.GetAsync(domain)).Json.GetProperty("accountId").GetString();
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task A_suspended_account_sends_nothing_what_it_queued_is_held_and_it_can_be_read()
    {
        var queued = await host.SendMessageAsync();

        var suspended = await host.PostAsync($"{account}/suspend");

        Assert.Equal((200, "suspended"), (suspended.Status, suspended.Json.GetProperty("status").GetString()));
        Assert.Equal(["held"], await host.StatusesAsync(queued));
        Assert.Equal(["message.accepted", "message.held"], await host.EventsAsync(queued));
        await RefusedAsync("account_suspended");
        Assert.Equal(200, (await host.GetAsync("/v1/messages")).Status);
    }

    [Fact]
    public async Task Resuming_an_account_releases_what_was_held_and_lets_it_send()
    {
        var queued = await host.SendMessageAsync();
        await host.PostAsync($"{account}/suspend");

        var resumed = await host.PostAsync($"{account}/resume");

        Assert.Equal((200, "active"), (resumed.Status, resumed.Json.GetProperty("status").GetString()));
        Assert.Equal(["queued"], await host.StatusesAsync(queued));
        await SentAsync();
    }

    [Fact]
    public async Task Resuming_ends_a_pause_too()
    {
        await using (var context = host.Open())
        {
            var row = await context.Accounts.SingleAsync(Cancel);
            (row.PausedAt, row.PauseReason) = (TimeProvider.System.GetUtcNow(), "6.2 % bounced.");
            await context.SaveChangesAsync(Cancel);
        }
        await RefusedAsync("account_paused");
        var paused = await host.GetAsync(account);
        Assert.Equal(("paused", "6.2 % bounced."), (paused.Json.GetProperty("status").GetString(), paused.Json.GetProperty("pauseReason").GetString()));

        await host.PostAsync($"{account}/resume");

        await SentAsync();
        Assert.False((await host.GetAsync(account)).Json.TryGetProperty("pauseReason", out _));
    }

    [Fact]
    public async Task A_suspended_domain_is_not_sent_from_by_anybody_and_what_was_queued_from_it_is_held()
    {
        var guest = await GuestAsync();
        var theirs = await host.SendMessageAsync(key: guest, from: "guest@acme.example");
        var ours = await host.SendMessageAsync();

        var suspended = await host.PostAsync($"{domain}/suspend");

        Assert.Equal((200, "suspended"), (suspended.Status, suspended.Json.GetProperty("status").GetString()));
        Assert.Equal(["held"], await host.StatusesAsync(ours));
        Assert.Equal(["held"], await host.StatusesAsync(theirs, guest));
        await RefusedAsync("domain_suspended");
        await host.PostAsync($"{domain}/resume");
        Assert.Equal(["queued"], await host.StatusesAsync(ours));
        Assert.Equal(["queued"], await host.StatusesAsync(theirs, guest));
    }

    [Fact]
    public async Task What_is_queued_from_a_domain_is_found_also_of_one_who_may_not_send_from_it_any_more()
    {
        var guest = await GuestAsync();
        var theirs = await host.SendMessageAsync(key: guest, from: "guest@acme.example");
        await ExecuteAsync("DELETE FROM address WHERE account_id = (SELECT id FROM account WHERE name = 'guest')");

        await host.PostAsync($"{domain}/suspend");
        Assert.Equal(["held"], await host.StatusesAsync(theirs, guest));

        await host.PostAsync($"{domain}/resume");
        Assert.Equal(["queued"], await host.StatusesAsync(theirs, guest));

        await host.PostAsync($"{domain}/suspend");
        Assert.Equal(204, (await host.DeleteAsync(domain)).Status);
        Assert.Equal(["canceled"], await host.StatusesAsync(theirs, guest));
    }

    [Fact]
    public async Task What_two_suspensions_hold_is_released_by_the_end_of_both()
    {
        var queued = await host.SendMessageAsync();
        await host.PostAsync($"{account}/suspend");
        await host.PostAsync($"{domain}/suspend");

        await host.PostAsync($"{account}/resume");
        Assert.Equal(["held"], await host.StatusesAsync(queued));

        await host.PostAsync($"{domain}/resume");
        Assert.Equal(["queued"], await host.StatusesAsync(queued));
    }

    [Fact]
    public async Task What_a_worker_had_in_hand_is_held_by_the_next_walk()
    {
        var queued = await host.SendMessageAsync();
        await ExecuteAsync("UPDATE queue SET session_id = (SELECT id FROM session)");
        await host.PostAsync($"{domain}/suspend");
        Assert.Equal(["delivering"], await host.StatusesAsync(queued));

        await ExecuteAsync("UPDATE queue SET session_id = NULL");
        await host.Get<Stops>().CatchUpAsync(Cancel);

        Assert.Equal(["held"], await host.StatusesAsync(queued));
    }

    [Fact]
    public async Task What_was_held_just_when_its_sender_was_let_go_on_is_released_by_the_next_walk_and_nothing_else()
    {
        var guest = await GuestAsync();
        var theirs = await host.SendMessageAsync(key: guest, from: "guest@acme.example");
        var queued = await host.SendMessageAsync();
        await host.PostAsync($"{account}/suspend");
        await ExecuteAsync("UPDATE account SET suspended_at = NULL");
        await ExecuteAsync("UPDATE account SET paused_at = now() WHERE name = 'guest'");
        await ExecuteAsync("UPDATE recipient r SET status = 2 FROM account a WHERE a.id = r.account_id AND a.name = 'guest'");
        await ExecuteAsync("UPDATE queue SET held = true");

        await host.Get<Stops>().CatchUpAsync(Cancel);

        Assert.Equal(["queued"], await host.StatusesAsync(queued));
        Assert.Equal(["held"], await host.StatusesAsync(theirs, guest));
    }

    private async Task<string> GuestAsync()
    {
        var key = await host.KeyAsync("guest", StoredApiHost.AccountScopes);
        var id = (await host.GetAsync("/v1/accounts")).Json.GetProperty("data").EnumerateArray().Single(a => a.GetProperty("name").GetString() == "guest").GetProperty("id").GetString();
        Assert.Equal(201, (await host.PostAsync($"/v1/accounts/{id}/addresses", new { address = "guest@acme.example" })).Status);
        return key;
    }

    // What was found out about senders holds for two seconds.
    private Task RefusedAsync(string code) => Eventually.HoldsAsync(
        async () => await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x" }) is { Status: 403 } answer && answer.Code == code, code);

    private Task SentAsync() => Eventually.HoldsAsync(
        async () => (await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x" })).Status == 202, "a message that is taken");

    private async Task ExecuteAsync(string statement)
    {
        await using var command = host.Installation.Database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
