using System.Globalization;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Dispatch;
using Xunit;
using WebhookDeliveryStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;

namespace MoxApi.Tests.Webhooks;

/// <summary>Endpoints that ask for time, which they get from all nodes.</summary>
public sealed class EndpointPauseTests(TestPostgres postgres) : IAsyncLifetime
{
    private WebhookBed bed = null!;
    private WebhookReceiver busy = null!;
    private WebhookReceiver other = null!;
    private long endpoint;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        busy = await WebhookReceiver.StartAsync();
        other = await WebhookReceiver.StartAsync();
        (endpoint, _) = await bed.AddEndpointAsync(busy.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await busy.DisposeAsync();
        await other.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Theory]
    [InlineData(429, "600")]
    [InlineData(429, "date")]
    [InlineData(503, "600")]
    public async Task What_an_endpoint_asked_of_one_node_another_keeps(int status, string retryAfter)
    {
        var asked = bed.Clock.GetUtcNow().AddMinutes(10);
        busy.AnswerWith(status, retryAfter == "date" ? asked.ToString("r", CultureInfo.InvariantCulture) : retryAfter);
        bed.Drain();
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        await bed.StopAsync();
        Assert.InRange((await bed.EndpointAsync(endpoint)).PausedUntil!.Value, asked.AddSeconds(-1), asked.AddSeconds(1));

        busy.AnswerWith(204);
        await bed.AddEndpointAsync(other.Url);
        await bed.DeliverAsync();
        var second = await bed.AddNodeAsync("second");
        second.Drain();
        // So the second node has gone round, and left the busy endpoint alone.
        await bed.UntilDeliveriesAsync(d => d.Count(x => x.Status == WebhookDeliveryStatus.Delivered) == 1);
        Assert.Single(busy.Received);
        Assert.NotNull((await bed.Endpoints.GetAsync(bed.Account, endpoint, default))!.PausedUntil);

        bed.Advance(TimeSpan.FromMinutes(11.5)); // Its own row waits a tenth longer at most.
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Delivered));
        Assert.Null((await bed.Endpoints.GetAsync(bed.Account, endpoint, default))!.PausedUntil);
    }

    [Fact]
    public async Task Who_asks_for_less_later_does_not_shorten_a_pause()
    {
        var (asked, release) = (bed.Clock.GetUtcNow().AddMinutes(10), new TaskCompletionSource());
        busy.Answer = context =>
        {
            (context.Response.StatusCode, context.Response.Headers.RetryAfter) = (429, "1");
            return release.Task;
        };
        bed.Drain();
        await bed.DeliverAsync();
        await busy.ArrivedAsync();
        // As another call's answer does, and then the success of one that was under way, after which an endpoint fails no more.
        await bed.ExecuteAsync($"UPDATE webhook_endpoint SET paused_until = '{asked:O}'");
        release.SetResult();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);

        var row = await bed.EndpointAsync(endpoint);
        Assert.NotNull(row.FailingSince);
        Assert.Equal(asked, row.PausedUntil);
    }

    [Theory]
    [InlineData(502)]
    [InlineData(504)]
    public async Task A_gateway_in_trouble_gets_a_moment(int status)
    {
        busy.AnswerWith(status);
        bed.Drain();
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);

        Assert.Equal(bed.Clock.GetUtcNow() + SlowDown.Shortest, (await bed.EndpointAsync(endpoint)).PausedUntil);
    }

    [Fact]
    public async Task A_webhook_that_moves_has_no_pause()
    {
        busy.AnswerWith(429, "86400");
        bed.Drain();
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        await bed.Endpoints.UpdateAsync(bed.Account, endpoint, new UpdateWebhookRequest { Url = other.Url.AbsoluteUri }, null, default);
        await bed.DeliverAsync();

        await other.ArrivedAsync();
        var row = await bed.EndpointAsync(endpoint);
        Assert.Equal((null, null), (row.PausedUntil, row.FailingSince));
    }

    [Theory]
    [InlineData(500, null, 0, null)]
    [InlineData(200, null, 0, null)]
    [InlineData(429, null, 0, 5)]
    [InlineData(503, null, 60, 15)]
    [InlineData(504, null, 86400, 300)]
    [InlineData(429, 1, 86400, 1)]
    [InlineData(429, 100_000, 0, 86400)]
    public void A_pause_is_as_asked_up_to_a_day_or_grows_with_the_trouble_up_to_five_minutes(int status, int? asked, int failing, int? pause) => Assert.Equal(
        pause is { } seconds ? TimeSpan.FromSeconds(seconds) : null,
        SlowDown.After(new(status, null, TimeSpan.Zero, asked is { } wait ? TimeSpan.FromSeconds(wait) : null), TimeSpan.FromSeconds(failing)));
}
