using Microsoft.EntityFrameworkCore;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Api.Administration;

/// <summary>A deadlock is nobody's fault who asked. Here the database, by a rule that the program does not know, says three times that there was one.</summary>
public sealed class DeadlockTests(TestPostgres postgres) : IAsyncLifetime
{
    private StoredApiHost host = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => host = await StoredApiHost.StartAsync(postgres);

    public ValueTask DisposeAsync() => host.DisposeAsync();

    [Fact]
    public async Task Whoever_is_the_victim_of_a_deadlock_is_served_all_the_same()
    {
        var webhook = $"/v1/webhooks/{(await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/", events = new[] { "message.accepted", "message.canceled" } })).Json.GetProperty("id")}";
        var message = await host.SendMessageAsync();
        var delivery = (await host.GetAsync($"{webhook}/deliveries")).Json.GetProperty("data")[0].GetProperty("id");
        await ExecuteAsync("UPDATE webhook_delivery SET status = 2; DELETE FROM webhook_queue");

        await AssertAsync(202, "POST", $"{webhook}/deliveries/{delivery}/replay", null, "webhook_delivery");
        await ExecuteAsync("UPDATE webhook_delivery SET status = 2; DELETE FROM webhook_queue");
        await AssertAsync(202, "POST", $"{webhook}/replay", new { since = "2026-01-01T00:00:00Z" }, "webhook_delivery");
        await AssertAsync(200, "POST", $"/v1/messages/{message}/cancel", null, "recipient");
        await AssertAsync(200, "POST", "/v1/recipients/erase", new { address = "jane@example.org" }, "webhook_delivery");
        await AssertAsync(204, "DELETE", webhook, null, "webhook_delivery");

        await using var context = host.Open();
        Assert.Equal(0, await context.WebhookQueue.CountAsync(Cancel));
    }

    [Fact]
    public async Task What_others_have_just_changed_is_deleted_and_erased_all_the_same()
    {
        var webhook = $"/v1/webhooks/{(await host.PostAsync("/v1/webhooks", new { url = "https://app.acme.example/", events = new[] { "message.accepted", "message.canceled" } })).Json.GetProperty("id")}";
        var message = await host.SendMessageAsync();
        await host.PostAsync($"/v1/messages/{message}/cancel");

        var erased = await MeetAsync(() => host.PostAsync("/v1/recipients/erase", new { address = "jane@example.org" }));
        Assert.Equal((200, 1, 2), (erased.Status, erased.Json.GetProperty("recipients").GetInt32(), erased.Json.GetProperty("webhookDeliveries").GetInt32()));

        Assert.Equal(204, (await MeetAsync(() => host.DeleteAsync(webhook))).Status);
        await using var context = host.Open();
        Assert.Equal((0, 0), (await context.WebhookQueue.CountAsync(Cancel), await context.WebhookDeliveries.CountAsync(Cancel)));
    }

    // Sends a request while somebody changes what it is about, and commits when it waits for them.
    private async Task<Answer> MeetAsync(Func<Task<Answer>> ask)
    {
        await using var connection = await host.Installation.Database.OpenConnectionAsync(Cancel);
        await using var transaction = await connection.BeginTransactionAsync(Cancel);
        await using (var change = new NpgsqlCommand("UPDATE webhook_delivery SET attempts = attempts + 1", connection)) await change.ExecuteNonQueryAsync(Cancel);
        var answer = ask();
        await host.Installation.CountIsAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'", 1);
        await transaction.CommitAsync(Cancel);
        return await answer;
    }

    private async Task AssertAsync(int status, string method, string path, object? body, string table)
    {
        await ExecuteAsync($"""
            CREATE SEQUENCE try;
            CREATE FUNCTION clash() RETURNS trigger LANGUAGE plpgsql AS $$
              BEGIN IF nextval('try') <= 3 THEN RAISE EXCEPTION 'deadlock detected' USING ERRCODE = '{PostgresErrorCodes.DeadlockDetected}'; END IF; RETURN NULL; END $$;
            CREATE TRIGGER clash AFTER UPDATE OR DELETE ON {table} EXECUTE FUNCTION clash()
            """);
        var answer = await host.SendAsync(method, path, body, null);
        Assert.True(answer.Status == status, $"{method} {path} was answered {answer.Status}: {answer.Text}");
        await using (var tries = host.Installation.Database.CreateCommand("SELECT last_value FROM try")) Assert.InRange((long)(await tries.ExecuteScalarAsync(Cancel))!, 4, 5);
        await ExecuteAsync("DROP FUNCTION clash() CASCADE; DROP SEQUENCE try");
    }

    private async Task ExecuteAsync(string statements)
    {
        await using var command = host.Installation.Database.CreateCommand(statements);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
