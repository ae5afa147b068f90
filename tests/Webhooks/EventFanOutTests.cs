using System.Text.Json;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using WebhookDeliveryStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;
using Wire = MoxApi.OpenApi.Events;

namespace MoxApi.Tests.Webhooks;

/// <summary>Events that have no message, or none any more.</summary>
public sealed class EventFanOutTests(TestPostgres postgres) : IAsyncLifetime
{
    private WebhookBed bed = null!;
    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres);
        receiver = await WebhookReceiver.StartAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await receiver.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task That_an_account_is_paused_is_posted_to_all_its_endpoints_whatever_they_chose()
    {
        await bed.AddEndpointAsync(receiver.Url);
        await bed.Endpoints.CreateAsync(bed.Account, new CreateWebhookRequest { Url = receiver.Url.AbsoluteUri, AllowPrivate = true, Events = [Wire.EventType.AccountPaused] }, default);
        await bed.Endpoints.CreateAsync(bed.Account, new CreateWebhookRequest { Url = receiver.Url.AbsoluteUri, AllowPrivate = true, Events = [Wire.EventType.MessageFailed] }, default);
        await bed.ExecuteAsync($$"""
            WITH e AS (
              INSERT INTO event (id, account_id, type, at, sequence, detail) VALUES (1, {{bed.Account}}, {{(short)EventType.AccountPaused}}, '2026-11-22 10:00:00Z', 0, '{"reason": "Why.", "finished": 400, "bounced": 24, "complained": 1, "limitPercent": 5.5}')
              RETURNING id, account_id, type, at),
            {{EventFanOut.Sql}}
            SELECT count(*) FROM wq
            """);
        bed.Drain();
        await bed.UntilDeliveriesAsync(d => d.TrueForAll(x => x.Status == WebhookDeliveryStatus.Delivered));

        Assert.Equal(3, receiver.Received.Length);
        var data = JsonDocument.Parse(receiver.Received[0].Body).RootElement.GetProperty("data");
        Assert.Equal(["eventId", "accountId", "account"], data.EnumerateObject().Select(p => p.Name));
        Assert.Equal("""{"reason":"Why.","finished":400,"bounced":24,"complained":1,"limitPercent":5.5}""", data.GetProperty("account").GetRawText());
    }

    [Fact]
    public async Task Of_a_message_that_was_deleted_an_event_keeps_the_id()
    {
        await bed.AddEndpointAsync(receiver.Url);
        var (message, recipients) = await bed.AcceptAsync();
        await bed.SettleAsync(RecipientStatus.Delivered, recipients);
        await bed.ExecuteAsync("DELETE FROM attempt; DELETE FROM recipient; DELETE FROM message");
        bed.Drain();
        await receiver.ArrivedAsync();

        var data = JsonDocument.Parse(receiver.Received[0].Body).RootElement.GetProperty("data");
        Assert.Equal(["eventId", "sequence", "accountId", "message"], data.EnumerateObject().Select(p => p.Name));
        Assert.Equal(bed.Ids.Make(MoxApi.Migrations.Identifiers.PublicIdKind.Message, message), data.GetProperty("message").GetProperty("id").GetString());
        Assert.Equal("", data.GetProperty("message").GetProperty("subject").GetString());
    }
}
