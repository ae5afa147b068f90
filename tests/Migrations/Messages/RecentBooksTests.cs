using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Migrations.Messages;

public class RecentBooksTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Now = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    private Installation installation = null!;
    private StoredMail mail = null!;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        mail = new StoredMail(installation);
        var acme = await mail.CountAsync("SELECT id FROM account");
        var message = await mail.MessageAsync(acme, Now - TimeSpan.FromMinutes(30), statuses: [RecipientStatus.Delivered, RecipientStatus.Failed, RecipientStatus.Queued]);
        await mail.MessageAsync(acme, Now - TimeSpan.FromDays(9), statuses: [RecipientStatus.Held, RecipientStatus.Delivered]);
        var endpoint = await mail.EndpointAsync(acme);
        var eventId = await mail.CountAsync($"SELECT min(id) FROM event WHERE message_id = {message}");
        await mail.DeliveryAsync(endpoint, eventId, Now, WebhookDeliveryStatus.Pending);
        await mail.DeliveryAsync(endpoint, eventId, Now, WebhookDeliveryStatus.Delivered);
    }

    public ValueTask DisposeAsync() => installation.DisposeAsync();

    [Fact]
    public async Task Books_that_balance_have_no_faults()
    {
        var report = await CheckAsync();
        Assert.Empty(report.Faults);
        // Three recipients, a message and two deliveries that changed; the queue's two recipients by their rows and by their status; the delivery in the queue.
        Assert.Equal(6 + 4 + 1, report.Checked);
    }

    [Theory]
    [InlineData("DELETE FROM queue", "2 unfinished without a queue row")]
    [InlineData("UPDATE recipient SET status = 4 WHERE status IN (0, 2)", "2 finished with a queue row")]
    [InlineData("INSERT INTO queue (recipient_id, lane_id, due_at, held, attempts, reclaims, in_hand, expires_at) VALUES (5, 1, now(), false, 0, 0, false, now())", "1 queue rows without a recipient")]
    [InlineData("UPDATE recipient SET event_sequence = 3 WHERE status IN (0, 2, 5)", "3 recipients whose events do not match their sequence")]
    [InlineData("DELETE FROM attempt WHERE failure_class <> 0", "1 recipients whose attempts do not match their count")]
    [InlineData("DELETE FROM body WHERE id IN (SELECT body_id FROM message WHERE accepted_at > '2026-11-20Z')", "1 messages without their body")]
    [InlineData("DELETE FROM webhook_queue", "1 pending webhook deliveries without a queue row")]
    [InlineData("UPDATE webhook_delivery SET status = 1", "1 finished webhook deliveries with a queue row")]
    public async Task What_does_not_add_up_is_named_as_by_the_check_of_everything(string damage, string fault)
    {
        await mail.ExecuteAsync(damage);

        Assert.Equal([fault], (await CheckAsync()).Faults);
        Assert.Contains(fault, (await Books.CheckAsync(mail.Database, TestContext.Current.CancellationToken)).Faults);
    }

    [Fact]
    public async Task What_was_over_long_ago_is_not_looked_at_again()
    {
        await mail.ExecuteAsync("DELETE FROM attempt WHERE at < '2026-11-20Z'");
        Assert.Empty((await CheckAsync()).Faults);
        Assert.NotEmpty((await Books.CheckAsync(mail.Database, TestContext.Current.CancellationToken)).Faults);
    }

    [Fact]
    public async Task Content_that_was_deleted_is_not_missed()
    {
        await mail.ExecuteAsync("UPDATE message SET content_deleted_at = now(), header = ''; DELETE FROM body");
        Assert.Empty((await CheckAsync()).Faults);
        await installation.AssertBooksBalanceAsync();
    }

    private Task<RecentBookReport> CheckAsync() => new RecentBooks(mail.Database).CheckAsync(Now - TimeSpan.FromHours(2), Now, TestContext.Current.CancellationToken);
}
