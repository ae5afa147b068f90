using System.Globalization;
using System.Text.Json;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Signing;
using Xunit;
using WebhookDeliveryStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;

namespace MoxApi.Tests.Webhooks;

/// <summary>What calls make of an endpoint: failing, disabled, and back.</summary>
public sealed class EndpointHealthTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly TimeSpan Step = TimeSpan.FromHours(8);

    private WebhookBed bed = null!;
    private WebhookReceiver failing = null!;
    private WebhookReceiver other = null!;
    private long endpoint;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        failing = await WebhookReceiver.StartAsync();
        other = await WebhookReceiver.StartAsync();
        failing.AnswerWith(500);
        (endpoint, _) = await bed.AddEndpointAsync(failing.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await failing.DisposeAsync();
        await other.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task Four_days_without_a_success_disable_an_endpoint_and_its_neighbours_are_told()
    {
        var (_, secret) = await bed.AddEndpointAsync(other.Url);
        bed.Drain();
        var start = bed.Clock.GetUtcNow();
        await FailAsync(until: start.AddDays(4) - TimeSpan.FromHours(1));
        Assert.Null((await bed.EndpointAsync(endpoint)).DisabledAt);

        await FailAsync(until: start.AddDays(4) + Step);
        var disabled = await bed.Endpoints.GetAsync(bed.Account, endpoint, default);
        Assert.Equal((start, "No call has succeeded for four days."), (disabled!.FailingSince, disabled.DisabledReason));
        Assert.InRange(disabled.DisabledAt!.Value, start.AddDays(4), start.AddDays(4) + Step);

        await WebhookBed.UntilAsync(() => Task.FromResult(NoticesAt(other).Any()));
        var notice = Assert.Single(NoticesAt(other));
        var posted = DateTimeOffset.FromUnixTimeSeconds(long.Parse(notice.Headers["webhook-timestamp"], CultureInfo.InvariantCulture));
        Assert.Equal(WebhookVerdict.Authentic, notice.Verify(secret, posted));
        var webhook = JsonDocument.Parse(notice.Body).RootElement.GetProperty("data").GetProperty("webhook");
        Assert.Equal((disabled.Id, failing.Url.GetLeftPart(UriPartial.Authority), disabled.DisabledReason),
            (webhook.GetProperty("id").GetString(), webhook.GetProperty("url").GetString(), webhook.GetProperty("reason").GetString()));
        Assert.Empty(NoticesAt(failing));
    }

    [Fact]
    public async Task One_success_in_four_days_keeps_an_endpoint()
    {
        bed.Drain();
        var start = bed.Clock.GetUtcNow();
        await FailAsync(until: start.AddDays(3));
        failing.AnswerWith(204);
        await bed.DeliverAsync();
        await WebhookBed.UntilAsync(async () => (await bed.EndpointAsync(endpoint)).FailingSince is null);

        failing.AnswerWith(500);
        var again = bed.Clock.GetUtcNow();
        await FailAsync(until: again.AddDays(3));
        var row = await bed.EndpointAsync(endpoint);
        Assert.Null(row.DisabledAt);
        Assert.InRange(row.FailingSince!.Value, again, again + Step);
    }

    [Fact]
    public async Task An_endpoint_that_says_it_is_gone_is_disabled_and_the_accounts_others_are_told()
    {
        // Whatever they chose.
        await bed.Endpoints.CreateAsync(bed.Account, new CreateWebhookRequest { Url = other.Url.AbsoluteUri, AllowPrivate = true, Events = [MoxApi.OpenApi.Events.EventType.MessageReceived] }, default);
        failing.AnswerWith(410);
        bed.Drain();
        await bed.DeliverAsync();
        await WebhookBed.UntilAsync(() => Task.FromResult(NoticesAt(other).Any()));

        Assert.Equal("It answered 410: it is gone.", (await bed.EndpointAsync(endpoint)).DisabledReason);
        var data = JsonDocument.Parse(NoticesAt(other).Single().Body).RootElement.GetProperty("data");
        Assert.Equal("It answered 410: it is gone.", data.GetProperty("webhook").GetProperty("reason").GetString());
        Assert.False(data.TryGetProperty("message", out _) || data.TryGetProperty("recipient", out _) || data.TryGetProperty("sequence", out _));
        Assert.Single(failing.Received);
    }

    [Fact]
    public async Task Nobody_elses_endpoints_hear_of_it()
    {
        var (mine, stranger) = (bed.Account, await bed.AddAccountAsync("stranger"));
        bed.Account = stranger;
        await bed.AddEndpointAsync(other.Url);
        bed.Account = mine;
        failing.AnswerWith(410);
        bed.Drain();
        await bed.DeliverAsync();
        await WebhookBed.UntilAsync(async () => (await bed.EndpointAsync(endpoint)).DisabledAt is not null);

        Assert.Single(await bed.DeliveriesAsync());
        await using var context = bed.CreateDbContext();
        Assert.Equal(mine, context.Events.Single(e => e.Type == EventType.WebhookDisabled).AccountId);
    }

    [Fact]
    public async Task What_a_disabled_endpoint_missed_of_its_queue_is_replayed_when_it_is_back()
    {
        failing.AnswerWith(410);
        await bed.DeliverAsync(recipients: 10);
        bed.Drain();
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Failed));
        failing.AnswerWith(204);
        var before = (await bed.DeliveriesAsync()).Select(d => d.EventId);

        var enabled = await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Disabled = false }, null, default);
        Assert.Equal((null, null), (enabled!.DisabledAt, enabled.DisabledReason));
        Assert.Equal(10, (await bed.Replays.ReplayFailedAsync(bed.Account, endpoint, bed.Clock.GetUtcNow().AddDays(-1), default)).Count);
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Delivered));
        Assert.Equal(before.Select(id => bed.Ids.Make(PublicIdKind.Event, id)).Order(StringComparer.Ordinal), failing.Received.Select(r => r.Id).Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task A_heap_for_a_disabled_endpoint_ends_unposted_also_what_is_not_due_yet_and_a_live_one_does_not_wait_for_it()
    {
        const int Heap = 5000;
        await bed.AddEndpointAsync(other.Url);
        await bed.ExecuteAsync($"""
            WITH d AS (
              INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at)
              SELECT {endpoint}, n, 0, 0, now() FROM generate_series(1, {Heap}) AS n RETURNING id)
            INSERT INTO webhook_queue (delivery_id, endpoint_id, due_at, held, attempts, reclaims)
            SELECT id, {endpoint}, '2026-11-22 10:00:00Z'::timestamptz + (id % 3) * interval '10 hours', false, 0, 0 FROM d
            """);
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Disabled = true }, null, default);
        await bed.DeliverAsync(recipients: 3);
        bed.Drain();

        await other.ArrivedAsync(3);
        await WebhookBed.UntilAsync(async () => (await bed.QueueAsync()).Count == 0);
        Assert.Empty(failing.Received);
        Assert.Equal(Heap, (await bed.DeliveriesAsync()).Count(d => d is { Status: WebhookDeliveryStatus.Failed, Error: "The webhook is disabled.", Attempts: 0 }));
    }

    [Fact]
    public async Task A_heap_of_a_deleted_account_ends_too()
    {
        await bed.DeliverAsync(recipients: 20);
        await bed.ExecuteAsync("DELETE FROM webhook_endpoint");
        bed.Drain();

        await WebhookBed.UntilAsync(async () => (await bed.QueueAsync()).Count == 0);
        Assert.All(await bed.DeliveriesAsync(), d => Assert.Equal((WebhookDeliveryStatus.Failed, "The webhook was deleted."), (d.Status, d.Error)));
    }

    /// <summary>Lets events happen and be tried, eight hours after eight hours.</summary>
    private async Task FailAsync(DateTimeOffset until)
    {
        for (var first = true; first || bed.Clock.GetUtcNow() < until; first = false)
        {
            await bed.DeliverAsync();
            var due = bed.Clock.GetUtcNow();
            // Tried, or ended because the endpoint was disabled: nothing that is due is left.
            await WebhookBed.UntilAsync(async () => (await bed.QueueAsync()).TrueForAll(q => q.SessionId is null && q.DueAt > due));
            var rest = until - due;
            if (rest > TimeSpan.Zero) bed.Advance(rest < Step ? rest : Step);
        }
    }

    private static IEnumerable<ReceivedWebhook> NoticesAt(WebhookReceiver receiver) =>
        receiver.Received.Where(r => JsonDocument.Parse(r.Body).RootElement.GetProperty("type").GetString() == "webhook.disabled");
}
