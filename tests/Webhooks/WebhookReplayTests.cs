using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Endpoints;
using Xunit;
using WebhookDelivery = MoxApi.Migrations.Webhooks.WebhookDelivery;
using WebhookDeliveryStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookReplayTests(TestPostgres postgres) : IAsyncLifetime
{
    private WebhookBed bed = null!;
    private WebhookReceiver receiver = null!;
    private long endpoint;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        receiver = await WebhookReceiver.StartAsync();
        (endpoint, _) = await bed.AddEndpointAsync(receiver.Url);
        bed.Drain();
    }

    public async ValueTask DisposeAsync()
    {
        await receiver.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task A_replay_posts_the_same_event_under_the_same_id()
    {
        await bed.DeliverAsync();
        var delivery = (await DoneAsync(1)).Single();
        Assert.Equal(ReplayResult.Queued, await bed.Replays.ReplayAsync(bed.Account, endpoint, delivery.Id, default));
        await bed.UntilDeliveriesAsync(d => d.Single() is { Attempts: 2, Status: WebhookDeliveryStatus.Delivered });

        Assert.Equal(receiver.Received[0].Id, receiver.Received[1].Id);
        Assert.Equal(receiver.Received[0].Body, receiver.Received[1].Body);
        Assert.Empty(await bed.QueueAsync());
    }

    [Fact]
    public async Task A_replay_that_fails_has_all_its_attempts_anew()
    {
        receiver.AnswerWith(500);
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        await bed.ExecuteAsync("UPDATE webhook_queue SET attempts = 10");
        bed.Advance(TimeSpan.FromSeconds(10));
        await bed.UntilDeliveriesAsync(d => d.Single().Status == WebhookDeliveryStatus.Failed);

        await bed.Replays.ReplayAsync(bed.Account, endpoint, (await bed.DeliveriesAsync()).Single().Id, default);
        await bed.UntilDeliveriesAsync(d => d.Single() is { Attempts: 3, Status: WebhookDeliveryStatus.Pending });
        Assert.Equal(1, (await bed.QueueAsync()).Single().Attempts);
    }

    [Fact]
    public async Task What_waits_for_its_next_attempt_is_posted_at_once()
    {
        receiver.AnswerWith(500);
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        receiver.AnswerWith(204);

        await bed.Replays.ReplayAsync(bed.Account, endpoint, (await bed.DeliveriesAsync()).Single().Id, default);
        await DoneAsync(1);
        Assert.Equal(2, receiver.Received.Length);
    }

    [Fact]
    public async Task What_waits_for_its_last_attempt_has_all_of_them_anew()
    {
        receiver.AnswerWith(500);
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        await bed.ExecuteAsync("UPDATE webhook_queue SET attempts = 10");

        await bed.Replays.ReplayAsync(bed.Account, endpoint, (await bed.DeliveriesAsync()).Single().Id, default);
        await bed.UntilDeliveriesAsync(d => d.Single() is { Attempts: 2, Status: WebhookDeliveryStatus.Pending });
        Assert.Equal(1, (await bed.QueueAsync()).Single().Attempts);
    }

    [Fact]
    public async Task A_delivery_in_the_middle_of_its_call_is_left_alone()
    {
        receiver.AnswerWith(500);
        await bed.DeliverAsync();
        await receiver.ArrivedAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        var release = new TaskCompletionSource();
        receiver.Answer = _ => release.Task;
        bed.Advance(TimeSpan.FromSeconds(10));
        await receiver.ArrivedAsync();

        Assert.Equal(ReplayResult.Queued, await bed.Replays.ReplayAsync(bed.Account, endpoint, (await bed.DeliveriesAsync()).Single().Id, default));
        release.SetResult();
        Assert.Equal(2, (await DoneAsync(1)).Single().Attempts);
        Assert.Equal(2, receiver.Received.Length);
    }

    [Fact]
    public async Task All_that_failed_since_a_time_is_replayed_and_counted_and_nothing_else()
    {
        const int Failed = 1500;
        await bed.DeliverAsync();
        await DoneAsync(1);
        var (_, recipients) = await bed.AcceptAsync();
        await using var context = bed.CreateDbContext();
        var accepted = context.Events.Single(e => e.RecipientId == recipients[0]).Id;
        // Of one event, which is enough here; every fifth is older than the time asked for.
        await bed.ExecuteAsync($"""
            INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at)
            SELECT {endpoint}, {accepted}, 2, 11, '2026-11-22 09:00:00Z'::timestamptz - (n % 5 / 4) * interval '1 day' FROM generate_series(1, {Failed}) AS n
            """);
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Disabled = true }, null, default);
        Assert.Equal((ReplayResult.Disabled, 0), await bed.Replays.ReplayFailedAsync(bed.Account, endpoint, DateTimeOffset.UnixEpoch, default));
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Disabled = false }, null, default);

        var (result, count) = await bed.Replays.ReplayFailedAsync(bed.Account, endpoint, new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero), default);
        Assert.Equal((ReplayResult.Queued, Failed / 5 * 4), (result, count));
        await WebhookBed.UntilAsync(async () => (await bed.QueueAsync()).Count == 0);
        var deliveries = await bed.DeliveriesAsync();
        Assert.Equal(Failed / 5, deliveries.Count(d => d.Status == WebhookDeliveryStatus.Failed));
        Assert.Equal((Failed / 5 * 4) + 1, receiver.Received.Length);
        Assert.Equal(0, (await bed.Replays.ReplayFailedAsync(bed.Account, endpoint, new(2026, 11, 22, 9, 0, 0, TimeSpan.Zero), default)).Count);
    }

    [Fact]
    public async Task Nothing_is_replayed_to_a_disabled_webhook()
    {
        await bed.DeliverAsync();
        var delivery = (await DoneAsync(1)).Single().Id;
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Disabled = true }, null, default);

        Assert.Equal(ReplayResult.Disabled, await bed.Replays.ReplayAsync(bed.Account, endpoint, delivery, default));
        Assert.Empty(await bed.QueueAsync());
        Assert.Equal(WebhookDeliveryStatus.Delivered, (await bed.DeliveriesAsync()).Single().Status);
    }

    [Fact]
    public async Task A_test_is_posted_to_the_webhook_alone_whatever_it_wants_and_though_it_is_disabled()
    {
        await using var other = await WebhookReceiver.StartAsync();
        await bed.AddEndpointAsync(other.Url);
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Events = [OpenApi.Events.EventType.MessageFailed], Disabled = true }, null, default);
        var delivery = await bed.Replays.TestAsync(bed.Account, endpoint, default);

        var done = (await DoneAsync(1)).Single();
        Assert.Equal((delivery, endpoint), (done.Id, done.EndpointId));
        Assert.Empty(other.Received);
        var shown = (await bed.Deliveries.GetDetailAsync(bed.Account, endpoint, done.Id, default))!;
        Assert.Equal(receiver.Received.Single().Body, System.Text.Encoding.UTF8.GetBytes(shown.Request!.Body!));
        var (account, webhook) = (bed.Ids.Make(PublicIdKind.Account, bed.Account), bed.Ids.Make(PublicIdKind.WebhookEndpoint, endpoint));
        Assert.Equal(
            $$$$"""{"type":"webhook.test","timestamp":"2026-11-22T10:00:00.123Z","data":{"eventId":"{{{{shown.EventId}}}}","accountId":"{{{{account}}}}","webhook":{"id":"{{{{webhook}}}}","url":"{{{{receiver.Url.GetLeftPart(UriPartial.Authority)}}}}"}}}""",
            shown.Request.Body);
        Assert.NotNull((await bed.EndpointAsync(endpoint)).DisabledAt);
    }

    [Fact]
    public async Task A_test_that_fails_is_not_tried_again_nor_replayed_nor_held_against_the_webhook()
    {
        receiver.AnswerWith(500);
        await bed.Replays.TestAsync(bed.Account, endpoint, default);
        await bed.UntilDeliveriesAsync(d => d.Single().Status == WebhookDeliveryStatus.Failed);

        Assert.Empty(await bed.QueueAsync());
        Assert.Null((await bed.EndpointAsync(endpoint)).FailingSince);
        Assert.Equal(0, (await bed.Replays.ReplayFailedAsync(bed.Account, endpoint, DateTimeOffset.UnixEpoch, default)).Count);
    }

    [Fact]
    public async Task Another_accounts_webhook_is_as_if_it_were_not_there()
    {
        await bed.DeliverAsync();
        var delivery = (await DoneAsync(1)).Single().Id;
        var stranger = await bed.AddAccountAsync("stranger");
        var (second, _) = await bed.AddEndpointAsync(receiver.Url);

        Assert.Equal(ReplayResult.NotFound, await bed.Replays.ReplayAsync(stranger, endpoint, delivery, default));
        Assert.Equal(ReplayResult.NotFound, await bed.Replays.ReplayAsync(bed.Account, second, delivery, default));
        Assert.Equal((ReplayResult.NotFound, 0), await bed.Replays.ReplayFailedAsync(stranger, endpoint, DateTimeOffset.UnixEpoch, default));
        Assert.Null(await bed.Replays.TestAsync(stranger, endpoint, default));
        Assert.Empty(await bed.QueueAsync());
        Assert.Single(receiver.Received);
    }

    private async Task<List<WebhookDelivery>> DoneAsync(int count)
    {
        await bed.UntilDeliveriesAsync(d => d.Count(x => x.Status == WebhookDeliveryStatus.Delivered) == count);
        return await bed.DeliveriesAsync();
    }
}
