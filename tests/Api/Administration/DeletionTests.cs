using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Accounts;
using MoxApi.Api.Domains;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Retention;
using MoxApi.OpenApi.Access;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

public sealed class DeletionTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;
    private string domain = null!;
    private string account = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        host = await StoredApiHost.StartAsync(postgres);
        domain = "/v1/domains/" + (await host.GetAsync("/v1/domains")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        account = "/v1/accounts/" + (await host.GetAsync(domain)).Json.GetProperty("accountId").GetString();
    }

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Deleting_a_key_or_an_address_leaves_queued_mail_alone()
    {
        var key = await host.PostAsync("/v1/api-keys", new { name = "shop" });
        var sent = await host.SendMessageAsync(key: key.Json.GetProperty("key").GetString());

        Assert.Equal(204, (await host.DeleteAsync(key.Headers.Location!.OriginalString)).Status);
        var address = (await host.GetAsync($"{account}/addresses")).Json.GetProperty("data")[0].GetProperty("id").GetString();
        Assert.Equal(204, (await host.DeleteAsync($"{account}/addresses/{address}")).Status);

        Assert.Equal(["queued"], await host.StatusesAsync(sent));
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/messages", key.Json.GetProperty("key").GetString())).Status == 401, "a key that is refused");
    }

    [Fact]
    public async Task Deleting_a_domain_cancels_what_is_queued_from_it_and_takes_its_addresses_along()
    {
        var queued = await host.SendMessageAsync();
        await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/", events = new[] { "message.canceled" } });

        Assert.Equal(204, (await host.DeleteAsync(domain)).Status);

        Assert.Equal(["canceled"], await host.StatusesAsync(queued));
        Assert.Equal(["message.accepted", "message.canceled"], await host.EventsAsync(queued));
        Assert.Equal(404, (await host.GetAsync(domain)).Status);
        Assert.Equal(0, (await host.GetAsync($"{account}/addresses")).Json.GetProperty("data").GetArrayLength());
        await using var context = host.Open();
        Assert.Equal(1, await context.WebhookDeliveries.CountAsync(Cancel));
        Assert.Empty(await context.DkimKeys.ToListAsync(Cancel));
    }

    [Fact]
    public async Task A_domain_goes_when_its_queue_is_canceled_and_what_was_in_hand_until_then_is_canceled_after_it()
    {
        var (waiting, inHand) = (await host.SendMessageAsync(), await host.SendMessageAsync("sam@example.org"));
        await ExecuteAsync("UPDATE queue SET session_id = (SELECT id FROM session) WHERE recipient_id = (SELECT id FROM recipient WHERE address = 'sam@example.org')");
        Task<Answer> deletion;
        await using (var keeper = await host.Installation.Database.OpenConnectionAsync(Cancel))
        await using (var transaction = await keeper.BeginTransactionAsync(Cancel))
        {
            // It stops who deletes the row, and nobody else.
            await using var keep = new NpgsqlCommand("SELECT FROM domain FOR KEY SHARE", keeper, transaction);
            await keep.ExecuteNonQueryAsync(Cancel);
            deletion = host.DeleteAsync(domain);
            await using var stopped = host.Installation.Database.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
            await Eventually.HoldsAsync(async () => (long)(await stopped.ExecuteScalarAsync(Cancel))! > 0, "the deletion to come to the domain's row");
            Assert.Equal(["canceled"], await host.StatusesAsync(waiting));
            Assert.Equal(["delivering"], await host.StatusesAsync(inHand));
            await ExecuteAsync("UPDATE queue SET session_id = NULL");
            await transaction.CommitAsync(Cancel);
        }

        Assert.Equal(204, (await deletion).Status);
        Assert.Equal(["canceled"], await host.StatusesAsync(inHand));
    }

    [Fact]
    public async Task What_a_node_accepts_that_has_not_heard_of_a_deletion_is_canceled()
    {
        await host.SendMessageAsync();
        // The sender is known for two seconds.
        Assert.Equal(204, (await host.DeleteAsync(domain)).Status);
        var late = await host.PostAsync("/v1/messages", new { to = new[] { "jane@example.org" }, text = "x" });

        if (late.Status == 202) Assert.Equal(["canceled"], await host.StatusesAsync(late.Json.GetProperty("id").GetString()!));
        else Assert.Equal((403, "sender_not_allowed"), (late.Status, late.Code));
    }

    [Fact]
    public async Task Deleting_an_account_ends_it_at_once_and_its_data_goes_in_the_background()
    {
        var admin = await host.KeyAsync("root", Scopes.Admin);
        var queued = await host.SendMessageAsync();
        await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/" });
        await host.PostAsync("/v1/suppressions", new { address = "sam@example.net" });

        Assert.Equal(204, (await host.DeleteAsync(account, admin)).Status);

        Assert.Equal(404, (await host.GetAsync(account, admin)).Status);
        Assert.Equal(404, (await host.GetAsync(domain, admin)).Status);
        // An admin sees the keys of all: there is his own.
        Assert.Equal(1, (await host.GetAsync("/v1/api-keys", admin)).Json.GetProperty("data").GetArrayLength());
        await Eventually.HoldsAsync(async () => (await host.GetAsync("/v1/messages")).Status == 401, "a key that is refused");
        await using (var context = host.Open())
        {
            Assert.Equal(RecipientStatus.Canceled, (await context.Recipients.SingleAsync(Cancel)).Status);
            Assert.Empty(await context.Queue.ToListAsync(Cancel));
            Assert.Empty(await context.WebhookEndpoints.ToListAsync(Cancel));
        }
        // Its name and its domain are free again.
        Assert.Equal(201, (await host.PostAsync("/v1/accounts", new { name = "acme" }, admin)).Status);
        Assert.Equal(201, (await host.PostAsync("/v1/domains", new { name = "acme.example" }, admin)).Status);
        await RemoveAsync();
        Assert.NotEqual("", queued);
        Assert.Empty(await RowsLeftAsync());
    }

    [Fact]
    public async Task A_body_that_another_account_received_too_stays_until_that_account_is_gone()
    {
        var admin = await host.KeyAsync("root", Scopes.Admin);
        await using (var context = host.Open())
        {
            var root = await context.Accounts.SingleAsync(a => a.Name == "root", Cancel);
            var acme = await context.Accounts.SingleAsync(a => a.Name == "acme", Cancel);
            context.Add(new Body { Id = 100, Size = 4, Inline = "body"u8.ToArray() });
            foreach (var (id, owner) in new[] { (101L, acme.Id), (102L, root.Id) })
            {
                context.Add(new Message
                {
                    Id = id,
                    AccountId = owner,
                    Direction = MessageDirection.Incoming,
                    MessageIdHeader = "",
                    FromHeader = "",
                    Subject = "",
                    Header = [],
                    BodyId = 100,
                    Tags = [],
                    Metadata = "{}",
                    AcceptedAt = TimeProvider.System.GetUtcNow(),
                });
            }
            await context.SaveChangesAsync(Cancel);
        }

        await host.DeleteAsync(account, admin);
        await RemoveAsync();

        await using var after = host.Open();
        Assert.Equal([102L], await after.Messages.Select(m => m.Id).ToListAsync(Cancel));
        Assert.Equal(1, await after.Bodies.CountAsync(Cancel));
    }

    [Fact]
    public async Task What_a_worker_has_in_hand_keeps_a_deleted_account_until_it_is_finished()
    {
        var admin = await host.KeyAsync("root", Scopes.Admin);
        await host.SendMessageAsync();
        await ExecuteAsync("UPDATE queue SET session_id = (SELECT id FROM session)");
        await host.DeleteAsync(account, admin);

        await RemoveAsync();
        await using var context = host.Open();
        Assert.Equal(1, await context.Messages.CountAsync(Cancel));

        await ExecuteAsync("UPDATE queue SET session_id = NULL");
        await RemoveAsync();
        Assert.Empty(await RowsLeftAsync());
    }

    [Fact]
    public async Task The_account_of_the_key_in_use_cannot_be_deleted()
    {
        var answer = await host.DeleteAsync(account);
        Assert.Equal((409, "conflict"), (answer.Status, answer.Code));
    }

    // As the chores do, an hour later.
    [Fact]
    public async Task What_an_account_queued_from_anothers_domain_is_canceled_with_the_account()
    {
        var guest = await GuestAsync();
        Assert.Equal(204, (await host.DeleteAsync(guest)).Status);

        await using var context = host.Open();
        Assert.Equal(RecipientStatus.Canceled, (await context.Recipients.SingleAsync(Cancel)).Status);
    }

    [Fact]
    public async Task A_deletion_that_was_cut_short_is_ended_by_the_next_walk()
    {
        await GuestAsync();
        await using (var command = host.Installation.Database.CreateCommand("UPDATE account SET deleted_at = now() WHERE name = 'guest'")) await command.ExecuteNonQueryAsync(Cancel);

        await host.Get<Stops>().CatchUpAsync(Cancel);

        await using var context = host.Open();
        Assert.Equal(RecipientStatus.Canceled, (await context.Recipients.SingleAsync(Cancel)).Status);
    }

    // An account without a domain, which has an address in acme's and something queued from it; returns its path.
    private async Task<string> GuestAsync()
    {
        var key = await host.KeyAsync("guest", StoredApiHost.AccountScopes);
        var id = (await host.GetAsync("/v1/accounts")).Json.GetProperty("data").EnumerateArray().Single(a => a.GetProperty("name").GetString() == "guest").GetProperty("id").GetString();
        Assert.Equal(201, (await host.PostAsync($"/v1/accounts/{id}/addresses", new { address = "guest@acme.example" })).Status);
        await host.SendMessageAsync(key: key, from: "guest@acme.example");
        return $"/v1/accounts/{id}";
    }

    private async Task RemoveAsync()
    {
        await new AdministrationChores(host.Get<Stops>(), host.Get<StoredDkimKeys>()).CatchUp(Cancel);
        await ExecuteAsync("UPDATE account SET deleted_at = deleted_at - interval '1 hour'");
        await new RetentionRun(host.Installation.Database, new RetentionOptions(), TimeProvider.System).RunAsync((_, _) => { }, Cancel);
    }

    // The tables in which anything of a deleted account is left.
    private async Task<List<string>> RowsLeftAsync()
    {
        await using var context = host.Open();
        var living = await context.Accounts.Where(a => a.DeletedAt == null).Select(a => a.Id).ToListAsync(Cancel);
        var left = new List<string>();
        if (await context.Accounts.AnyAsync(a => a.DeletedAt != null, Cancel)) left.Add("account");
        foreach (var table in new[] { "message", "recipient", "event", "suppression", "idempotent_answer", "webhook_endpoint", "domain", "address", "api_key", "mailbox" })
        {
            await using var command = host.Installation.Database.CreateCommand($"SELECT count(*) FROM {table} WHERE account_id <> ALL ($1)");
            command.Parameters.Add(new() { Value = living.ToArray() });
            if ((long)(await command.ExecuteScalarAsync(Cancel))! > 0) left.Add(table);
        }
        foreach (var table in new[] { "body", "body_chunk", "attempt", "queue", "webhook_delivery", "webhook_queue" })
        {
            await using var command = host.Installation.Database.CreateCommand($"SELECT count(*) FROM {table}");
            if ((long)(await command.ExecuteScalarAsync(Cancel))! > 0) left.Add(table);
        }
        return left;
    }

    private async Task ExecuteAsync(string statement)
    {
        await using var command = host.Installation.Database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
