using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Webhooks.Endpoints;
using MoxApi.Webhooks.Events;
using Xunit;
using Wire = MoxApi.OpenApi.Events;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookEndpointsTests(TestPostgres postgres) : IAsyncLifetime
{
    private WebhookBed bed = null!;

    public async ValueTask InitializeAsync() => bed = await WebhookBed.MakeAsync(postgres);

    public ValueTask DisposeAsync() => bed.DisposeAsync();

    [Fact]
    public async Task A_secret_is_shown_once_and_stored_sealed()
    {
        var (id, secret) = await bed.AddEndpointAsync(new("http://127.0.0.1:8025/hook"));
        await using var context = bed.CreateDbContext();
        var row = context.WebhookEndpoints.Single();

        Assert.Equal(-1, row.SealedSecret.AsSpan().IndexOf(secret.Key));
        Assert.Equal(secret.Key.ToArray(), bed.Secrets.Open(row.SealedSecret, row.SealContext));
        Assert.IsNotType<CreatedWebhook>(await bed.Endpoints.GetAsync(bed.Account, id, default));
    }

    [Fact]
    public async Task Another_accounts_webhook_is_as_if_it_were_not_there()
    {
        var (id, _) = await bed.AddEndpointAsync(new("http://127.0.0.1:8025/hook"));
        var stranger = await bed.AddAccountAsync("stranger");

        Assert.Null(await bed.Endpoints.GetAsync(stranger, id, default));
        Assert.Empty(await bed.Endpoints.ListAsync(stranger, null, null, 100, default));
        Assert.False(await bed.Endpoints.DeleteAsync(stranger, id, default));
        Assert.NotNull(await bed.Endpoints.GetAsync(bed.Account, id, default));
    }

    [Fact]
    public async Task A_list_is_newest_first_and_goes_on_from_a_place_in_both_directions()
    {
        var ids = new List<long>();
        for (var i = 0; i < 5; i++) ids.Insert(0, (await bed.AddEndpointAsync(new($"http://127.0.0.1:8025/{i}"))).Id);

        Assert.Equal(ids, await Ids(null, null, 100));
        Assert.Equal(ids[..2], await Ids(null, null, 2));
        Assert.Equal(ids[2..4], await Ids(ids[1], null, 2));
        Assert.Equal(ids[1..3], await Ids(null, ids[3], 2));
        async Task<IEnumerable<long>> Ids(long? after, long? before, int limit) =>
            (await bed.Endpoints.ListAsync(bed.Account, after, before, limit, default)).Select(w => w.Id);
    }

    [Fact]
    public async Task An_endpoint_gets_the_events_it_asked_for_and_no_others()
    {
        var wanted = new CreateWebhookRequest { Url = "https://one.example.com/", Events = [Wire.EventType.MessageAccepted, Wire.EventType.MessageFailed, Wire.EventType.MessageAccepted] };
        var made = await bed.Endpoints.CreateAsync(bed.Account, wanted, default);
        await bed.Endpoints.CreateAsync(bed.Account, new() { Url = "https://all.example.com/" }, default);
        var (_, recipients) = await bed.AcceptAsync(2);
        await bed.SettleAsync(RecipientStatus.Delivered, recipients[0]);
        await bed.SettleAsync(RecipientStatus.Failed, recipients[1]);

        Assert.Equal([Wire.EventType.MessageAccepted, Wire.EventType.MessageFailed], made!.Events);
        await using var context = bed.CreateDbContext();
        var got = from d in context.WebhookDeliveries join e in context.Events on d.EventId equals e.Id join w in context.WebhookEndpoints on d.EndpointId equals w.Id select new { w.Url, e.Type };
        Assert.Equal(
            ["https://all.example.com/ MessageDelivered", "https://all.example.com/ MessageFailed", "https://one.example.com/ MessageAccepted", "https://one.example.com/ MessageAccepted", "https://one.example.com/ MessageFailed"],
            got.AsEnumerable().Select(g => $"{g.Url} {g.Type}").Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task An_account_cannot_have_webhooks_without_end()
    {
        await bed.ExecuteAsync($"""
            INSERT INTO webhook_endpoint (account_id, url, events, format, sealed_secret, seal_id, allow_private, created_at)
            SELECT {bed.Account}, 'https://one.example.com/', '{"{}"}', 'v1', '', gen_random_uuid(), false, now() FROM generate_series(1, {WebhookEndpoints.MostPerAccount})
            """);

        Assert.Null(await bed.Endpoints.CreateAsync(bed.Account, new() { Url = "https://one.example.com/" }, default));
    }

    [Fact]
    public async Task A_messages_events_are_read_newest_first_and_from_a_place()
    {
        var (message, recipients) = await bed.AcceptAsync(2);
        bed.Clock.Advance(TimeSpan.FromSeconds(1));
        await bed.SettleAsync(RecipientStatus.Delivered, recipients[0]);
        bed.Clock.Advance(TimeSpan.FromSeconds(1));
        await bed.SettleAsync(RecipientStatus.Failed, recipients[1]);
        await bed.AcceptAsync();

        var all = await bed.Events.ReadAsync(bed.Account, message, null, null, 100, default);
        Assert.Equal([Wire.EventType.MessageFailed, Wire.EventType.MessageDelivered, Wire.EventType.MessageAccepted, Wire.EventType.MessageAccepted], all.Select(e => e.Event.Type));
        Assert.Equal(all[1..3], await bed.Events.ReadAsync(bed.Account, message, all[0].Position, null, 2, default), SameEvent);
        Assert.Equal(all[1..3], await bed.Events.ReadAsync(bed.Account, message, null, all[3].Position, 2, default), SameEvent);
        Assert.Empty(await bed.Events.ReadAsync(bed.Account + 1, message, null, null, 100, default));
        Assert.Null(all[0].Event.Data.Attempt!.SmtpCode);
        Assert.Null(all[3].Event.Data.Attempt);
        static bool SameEvent(PlacedEvent one, PlacedEvent other) => one.Position == other.Position;
    }
}
