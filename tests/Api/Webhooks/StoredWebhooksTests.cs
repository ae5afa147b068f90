using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Api.Webhooks;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Access;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Webhooks;
using Xunit;

namespace MoxApi.Tests.Api.Webhooks;

public sealed class StoredWebhooksTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly HashSet<string> WebhooksScope = [Scopes.Webhooks];
    private static readonly DeliveryFilters All = new(null, null, null, null);
    private static readonly PageRequest FirstPage = new(20);

    private WebhookBed bed = null!;
    private StoredWebhooks webhooks = null!;
    private StoredDeliveries deliveries = null!;
    private Caller owner = null!;
    private Caller stranger = null!;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        webhooks = new(bed.Endpoints, bed.Deliveries, bed.Replays, bed.Ids);
        deliveries = new(bed.Deliveries, bed.Replays, bed.Ids);
        (owner, stranger) = (new(bed.Account, WebhooksScope), new(await bed.AddAccountAsync("stranger"), WebhooksScope));
    }

    public ValueTask DisposeAsync() => bed.DisposeAsync();

    [Fact]
    public async Task Another_accounts_webhooks_and_deliveries_are_as_if_they_were_not_there()
    {
        var (webhook, delivery) = await MakeAsync();

        foreach (var id in new[] { webhook, delivery, "whk_none", "" })
        {
            var caller = id == webhook ? stranger : owner;
            Assert.Null(await webhooks.FindAsync(caller, id, default));
            Assert.Null(await webhooks.UpdateAsync(caller, id, new() { Disabled = true }, null, default));
            Assert.Null(await webhooks.RotateSecretAsync(caller, id, TimeSpan.Zero, default));
            Assert.Null(await webhooks.TestAsync(caller, id, default));
            Assert.False(await webhooks.DeleteAsync(caller, id, default));
            Assert.Null(await deliveries.ListAsync(caller, id, All, FirstPage, default));
            Assert.Null(await deliveries.FindAsync(caller, id, delivery, default));
            Assert.Null(await deliveries.ReplayAsync(caller, id, delivery, default));
            Assert.Null(await deliveries.ReplayFailedAsync(caller, id, DateTimeOffset.UnixEpoch, default));
        }
        Assert.Null(await deliveries.FindAsync(owner, webhook, webhook, default));
        Assert.Null(await deliveries.ReplayAsync(owner, webhook, "whd_none", default));
        Assert.Null((await webhooks.FindAsync(owner, webhook, default))!.DisabledAt);
        Assert.Single(await bed.DeliveriesAsync());
    }

    [Fact]
    public async Task What_was_allowed_for_a_webhook_as_it_was_is_not_done_to_what_has_become_of_it()
    {
        var (webhook, _) = await MakeAsync();
        var seen = await webhooks.FindAsync(owner, webhook, default);
        var admin = new Caller(stranger.AccountId, new HashSet<string> { Scopes.Admin });
        await webhooks.UpdateAsync(admin, webhook, new() { AllowPrivate = true }, seen, default);

        Assert.Null(await webhooks.UpdateAsync(owner, webhook, new() { Url = "https://10.0.0.5/hook" }, seen, default));

        Assert.Equal(seen!.Url, (await webhooks.FindAsync(owner, webhook, default))!.Url);
    }

    [Fact]
    public async Task An_admin_reads_changes_and_deletes_the_webhooks_of_all_accounts()
    {
        var (webhook, _) = await MakeAsync();
        var admin = new Caller(stranger.AccountId, new HashSet<string> { Scopes.Admin });

        Assert.Equal(webhook, (await webhooks.FindAsync(admin, webhook, default))!.Id);
        Assert.True((await webhooks.UpdateAsync(admin, webhook, new() { AllowPrivate = true }, null, default))!.AllowPrivate);
        Assert.True((await webhooks.FindAsync(owner, webhook, default))!.AllowPrivate);
        Assert.True(await webhooks.DeleteAsync(admin, webhook, default));
        Assert.Null(await webhooks.FindAsync(owner, webhook, default));
    }

    [Fact]
    public async Task A_replay_to_a_disabled_webhook_is_refused_with_what_to_do()
    {
        var (webhook, delivery) = await MakeAsync();
        await webhooks.UpdateAsync(owner, webhook, new() { Disabled = true }, null, default);

        var one = await Assert.ThrowsAsync<RefusalException>(() => deliveries.ReplayAsync(owner, webhook, delivery, default));
        var all = await Assert.ThrowsAsync<RefusalException>(() => deliveries.ReplayFailedAsync(owner, webhook, DateTimeOffset.UnixEpoch, default));
        Assert.Equal([(409, "webhook_disabled"), (409, "webhook_disabled")], new[] { one, all }.Select(r => (r.Refusal.Status, r.Refusal.Code)));
        Assert.NotNull(await webhooks.TestAsync(owner, webhook, default));
    }

    [Fact]
    public async Task Deliveries_are_walked_page_by_page_in_both_directions()
    {
        var (webhook, _) = await MakeAsync();
        for (var i = 0; i < 6; i++) await bed.DeliverAsync();
        var whole = (await deliveries.ListAsync(owner, webhook, All, FirstPage, default))!.Data.Select(d => d.Id).ToList();

        Assert.Equal(7, whole.Distinct().Count());
        var cursors = bed.Ids.CursorsOf(PublicIdKind.WebhookDelivery);
        Assert.Equal(whole, (await StoredLists.ForwardAsync(3, cursors, page => deliveries.ListAsync(owner, webhook, All, page, default)!)).Select(d => d.Id));
        Assert.Equal(whole[..6], (await StoredLists.BackwardAsync(2, cursors(whole[6]), cursors, page => deliveries.ListAsync(owner, webhook, All, page, default)!)).Select(d => d.Id));
        var none = await deliveries.ListAsync(owner, webhook, All with { Status = WebhookDeliveryStatus.Failed, Since = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero) }, FirstPage, default);
        Assert.Empty(none!.Data);
    }

    [Fact]
    public async Task A_change_is_kept_and_what_was_not_named_stays()
    {
        var (webhook, _) = await MakeAsync();
        await webhooks.UpdateAsync(owner, webhook, new() { Description = "Order status", Events = [OpenApi.Events.EventType.MessageFailed] }, null, default);
        var changed = await webhooks.UpdateAsync(owner, webhook, new() { Url = "https://other.example/hook" }, null, default);

        Assert.Equal(("https://other.example/hook", "Order status", OpenApi.Events.EventType.MessageFailed), (changed!.Url, changed.Description, Assert.Single(changed.Events)));
        await bed.DeliverAsync();
        Assert.Single(await bed.DeliveriesAsync()); // The one from before the change: now only failures are wanted.
        Assert.Null((await webhooks.UpdateAsync(owner, webhook, new() { Description = "", Events = [] }, null, default))!.Description);
        Assert.Equal("It was disabled through the API.", (await webhooks.UpdateAsync(owner, webhook, new() { Disabled = true }, null, default))!.DisabledReason);
    }

    private async Task<(string Webhook, string Delivery)> MakeAsync()
    {
        var webhook = await webhooks.CreateAsync(owner, new() { Url = "https://app.example/hook" }, default);
        await bed.DeliverAsync();
        return (webhook.Id, (await deliveries.ListAsync(owner, webhook.Id, All, FirstPage, default))!.Data.Single().Id);
    }
}
