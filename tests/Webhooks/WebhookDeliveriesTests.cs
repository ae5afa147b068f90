using System.Text;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Endpoints;
using Xunit;
using Wire = MoxApi.OpenApi;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookDeliveriesTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly DeliveryFilter All = new(null, null, null, null);

    private WebhookBed bed = null!;
    private WebhookReceiver receiver = null!;
    private long endpoint;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        receiver = await WebhookReceiver.StartAsync();
        (endpoint, _) = await bed.AddEndpointAsync(receiver.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await receiver.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task A_delivery_tells_what_was_said_at_its_last_attempt()
    {
        receiver.AnswerWith(500, body: "database is down ☹");
        bed.Drain();
        await bed.DeliverAsync();
        var shown = await LastAsync(d => d.Attempts == 1);

        var had = receiver.Received.Single();
        Assert.Equal(Encoding.UTF8.GetString(had.Body), shown.Request!.Body);
        Assert.Equal(had.Headers["webhook-signature"], shown.Request.Headers["webhook-signature"]);
        Assert.Equal((had.Id, Wire.Events.EventType.MessageDelivered, 500, 1), (shown.EventId, shown.Type, shown.ResponseStatus, shown.Attempts));
        Assert.Equal((500, "database is down ☹", null, false), (shown.Response!.Status, shown.Response.Body, shown.Response.BodyBase64, shown.Response.Truncated));
        Assert.Contains("Date", shown.Response.Headers.Keys);
        Assert.Equal((Wire.Webhooks.WebhookDeliveryStatus.Pending, bed.Clock.GetUtcNow()), (shown.Status, shown.LastAttemptAt));
        Assert.InRange(shown.NextAttemptAt!.Value, bed.Clock.GetUtcNow().AddSeconds(4), bed.Clock.GetUtcNow().AddSeconds(6));
        Assert.InRange(shown.DurationMs!.Value, 0, 15_000);
        Assert.StartsWith("The endpoint answered 500: database is down", shown.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_attempt_without_an_answer_has_a_request_and_no_response()
    {
        await receiver.DisposeAsync();
        bed.Drain();
        await bed.DeliverAsync();
        var shown = await LastAsync(d => d.Attempts == 1);

        Assert.NotNull(shown.Request);
        Assert.Null(shown.Response);
        Assert.Contains("cannot be reached", shown.Error, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Of_an_answer_64_KiB_are_kept_and_no_character_is_cut_in_two(bool packed)
    {
        // Three octets each: 65,536 is no multiple of three.
        var body = packed ? [0x1f, 0x8b, .. new byte[100_000]] : Encoding.UTF8.GetBytes(new string('☺', 40_000));
        receiver.Answer = context => context.Response.Body.WriteAsync(body).AsTask();
        bed.Drain();
        await bed.DeliverAsync();
        var shown = (await LastAsync(d => d.Status == WebhookDeliveryStatus.Delivered)).Response!;

        Assert.True(shown.Truncated);
        Assert.Equal(packed ? null : new string('☺', 21_845), shown.Body);
        Assert.Equal(packed ? Convert.ToBase64String(body.AsSpan(..65_536)) : null, shown.BodyBase64);
        Assert.Equal(65_536, (await bed.DeliveriesAsync()).Single().ResponseBody!.Length);
    }

    [Fact]
    public async Task What_cannot_stand_in_a_text_of_PostgreSQL_is_kept_too()
    {
        await using var peer = new RawHttpPeer(async (stream, stop) =>
        {
            await stream.WriteAsync(Encoding.Latin1.GetBytes("HTTP/1.1 200 OK\r\nX-Odd: caf\u00e9 \u0001\r\nContent-Length: 3\r\n\r\na\0b"), stop);
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
        });
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new() { Url = peer.Url.AbsoluteUri }, null, default);
        bed.Drain();
        await bed.DeliverAsync();

        var response = (await LastAsync(d => d.Status == WebhookDeliveryStatus.Delivered)).Response!;
        Assert.Equal(("caf\u00e9 \u0001", "a\0b"), (response.Headers["X-Odd"], response.Body));
    }

    [Fact]
    public async Task A_list_is_newest_first_and_goes_on_from_a_place_in_both_directions()
    {
        for (var i = 0; i < 5; i++) await bed.DeliverAsync();
        var ids = (await bed.DeliveriesAsync()).ConvertAll(d => d.Id);
        ids.Reverse();

        Assert.Equal(ids, await IdsAsync(All));
        Assert.Equal(ids[..2], await IdsAsync(All, limit: 2));
        Assert.Equal(ids[2..4], await IdsAsync(All, after: ids[1], limit: 2));
        Assert.Equal(ids[1..3], await IdsAsync(All, before: ids[3], limit: 2));
    }

    [Fact]
    public async Task A_list_can_be_narrowed_by_state_type_and_time()
    {
        var start = bed.Clock.GetUtcNow();
        var (_, recipients) = await bed.AcceptAsync(3);
        await bed.SettleAsync(RecipientStatus.Delivered, recipients[0]);
        bed.Clock.Advance(TimeSpan.FromMinutes(1));
        await bed.SettleAsync(RecipientStatus.Failed, recipients[1]);
        bed.Clock.Advance(TimeSpan.FromMinutes(1));
        await bed.SettleAsync(RecipientStatus.Failed, recipients[2]);
        var ids = (await bed.DeliveriesAsync()).ConvertAll(d => d.Id);
        await bed.ExecuteAsync($"UPDATE webhook_delivery SET status = 2 WHERE id = {ids[1]}");

        Assert.Equal([ids[1]], await IdsAsync(All with { Status = WebhookDeliveryStatus.Failed }));
        Assert.Equal([ids[2], ids[0]], await IdsAsync(All with { Status = WebhookDeliveryStatus.Pending }));
        Assert.Equal([ids[2], ids[1]], await IdsAsync(All with { Type = EventType.MessageFailed }));
        Assert.Equal([ids[2], ids[1]], await IdsAsync(All with { Since = start.AddMinutes(1) }));
        Assert.Equal([ids[0]], await IdsAsync(All with { Until = start.AddMinutes(1) }));
        Assert.Empty(await IdsAsync(new(WebhookDeliveryStatus.Failed, EventType.MessageDelivered, null, null)));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_page_looks_at_so_many_deliveries_and_ends_there_and_the_next_goes_on(bool backward)
    {
        for (var i = 0; i < 7; i++) await bed.DeliverAsync();
        var ids = (await bed.DeliveriesAsync()).ConvertAll(d => d.Id);
        await bed.ExecuteAsync($"UPDATE webhook_delivery SET status = 2 WHERE id IN ({ids[0]}, {ids[6]})");
        var deliveries = new WebhookDeliveries(bed, bed.Events, bed.Ids) { Candidates = 3 };
        var pages = new List<IEnumerable<long>>();
        long? place = backward ? ids[0] - 1 : null;
        do
        {
            var page = (await deliveries.ListAsync(
                bed.Account, endpoint, All with { Status = WebhookDeliveryStatus.Failed }, backward ? null : place, backward ? place : null, 10, default))!;
            pages.Add(page.Deliveries.Select(d => d.Id));
            place = page.End;
        }
        while (place is not null);

        Assert.Equal(backward ? [[ids[0]], [], [ids[6]]] : [[ids[6]], [], [ids[0]]], pages);
    }

    [Fact]
    public async Task A_delivery_outlives_its_event()
    {
        bed.Drain();
        await bed.DeliverAsync();
        await LastAsync(d => d.Status == WebhookDeliveryStatus.Delivered);
        await bed.ExecuteAsync("DELETE FROM event");

        var shown = await LastAsync(_ => true);
        Assert.Equal((null, null), (shown.Type, shown.Request!.Body));
        Assert.NotNull(Assert.Single((await bed.Deliveries.ListAsync(bed.Account, endpoint, All, null, null, 10, default))!.Deliveries).Delivery.EventId);
    }

    [Fact]
    public async Task Another_accounts_delivery_is_as_if_it_were_not_there()
    {
        await bed.DeliverAsync();
        var delivery = (await bed.DeliveriesAsync()).Single().Id;
        var stranger = await bed.AddAccountAsync("stranger");
        var (second, _) = await bed.AddEndpointAsync(receiver.Url);

        Assert.Null(await bed.Deliveries.ListAsync(stranger, endpoint, All, null, null, 10, default));
        Assert.Null(await bed.Deliveries.GetAsync(stranger, endpoint, delivery, default));
        Assert.Null(await bed.Deliveries.GetDetailAsync(stranger, endpoint, delivery, default));
        Assert.Null(await bed.Deliveries.GetDetailAsync(bed.Account, second, delivery, default));
        Assert.NotNull(await bed.Deliveries.GetDetailAsync(bed.Account, endpoint, delivery, default));
    }

    private async Task<IEnumerable<long>> IdsAsync(DeliveryFilter filter, long? after = null, long? before = null, int limit = 100) =>
        (await bed.Deliveries.ListAsync(bed.Account, endpoint, filter, after, before, limit, default))!.Deliveries.Select(d => d.Id);

    private async Task<Wire.Webhooks.WebhookDeliveryDetail> LastAsync(Func<WebhookDelivery, bool> condition)
    {
        await bed.UntilDeliveriesAsync(d => condition(d.Single()));
        return (await bed.Deliveries.GetDetailAsync(bed.Account, endpoint, (await bed.DeliveriesAsync()).Single().Id, default))!;
    }
}
