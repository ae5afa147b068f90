using Microsoft.AspNetCore.Http;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Dispatch;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookLeaseTests(TestPostgres postgres) : IAsyncLifetime
{
    private WebhookBed bed = null!;
    private WebhookReceiver receiver = null!;

    public async ValueTask InitializeAsync()
    {
        bed = await WebhookBed.MakeAsync(postgres, LeaseTimes.OfLength(TimeSpan.FromSeconds(30)) with { Renew = TimeSpan.FromMilliseconds(100) });
        receiver = await WebhookReceiver.StartAsync();
        await bed.AddEndpointAsync(receiver.Url);
    }

    public async ValueTask DisposeAsync()
    {
        await receiver.DisposeAsync();
        await bed.DisposeAsync();
    }

    [Fact]
    public async Task An_outcome_is_refused_when_the_row_is_leased_to_another_session()
    {
        var row = await ClaimAsync();
        await bed.ExecuteAsync("UPDATE webhook_queue SET session_id = session_id + 1000");

        Assert.False(await WriteAsync(Delivered(row)));
        Assert.False(await WriteAsync(Retried(row)));
        Assert.Single(await bed.QueueAsync());
        Assert.Equal((WebhookDeliveryStatus.Pending, 0), (await bed.DeliveriesAsync()).Select(d => (d.Status, d.Attempts)).Single());
    }

    [Fact]
    public async Task An_outcome_that_is_written_twice_counts_once_even_if_the_row_is_claimed_in_between()
    {
        var row = await ClaimAsync();
        Assert.True(await WriteAsync(Retried(row)));
        Assert.False(await WriteAsync(Retried(row)));
        Assert.Equal(1, (await ClaimAsync()).Attempts);

        Assert.False(await WriteAsync(Retried(row)));
        Assert.Equal(bed.Session.Id, (await bed.QueueAsync()).Single().SessionId);
        Assert.Equal(1, (await bed.DeliveriesAsync()).Single().Attempts);
    }

    [Fact]
    public async Task A_group_of_outcomes_is_one_write_with_an_answer_for_each()
    {
        await bed.DeliverAsync(recipients: 3);
        var rows = await ClaimAllAsync();
        await using var connection = await bed.Database.OpenConnectionAsync();
        var stranger = rows[1] with { Attempts = 5 };

        var written = await new WebhookOutcomeWriter().WriteAsync(connection, [Delivered(rows[2]), Delivered(stranger), Retried(rows[0])], default);
        Assert.Equal([true, false, true], written.Select(w => w.Applied));
        Assert.Equal([rows[0].Id, rows[1].Id], (await bed.QueueAsync()).Select(q => q.DeliveryId));
    }

    [Fact]
    public async Task A_lost_session_ends_its_calls_and_the_events_are_posted_again_under_the_new_one()
    {
        receiver.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        bed.Drain();
        await bed.DeliverAsync();
        await receiver.ArrivedAsync();
        receiver.Answer = context =>
        {
            context.Response.StatusCode = StatusCodes.Status204NoContent;
            return Task.CompletedTask;
        };
        var before = bed.Session.Id;
        await bed.ExecuteAsync("DELETE FROM session");
        await WebhookBed.UntilAsync(() => Task.FromResult(bed.Session.Id != before));
        await WebhookBed.UntilAsync(async () =>
        {
            // To the next sweep; not while a call is under way, which the clock would overtake.
            if ((await bed.QueueAsync()).All(q => q.SessionId != bed.Session.Id)) bed.Advance(TimeSpan.FromSeconds(10));
            return (await bed.DeliveriesAsync()).Single().Status == WebhookDeliveryStatus.Delivered;
        });

        Assert.Equal(2, receiver.Received.Length);
        Assert.Equal(receiver.Received[0].Id, receiver.Received[1].Id);
        Assert.Equal(1, (await bed.DeliveriesAsync()).Single().Attempts); // The call that was cut off is nobody's attempt.
    }

    [Fact]
    public async Task Rows_of_dead_sessions_come_back_and_those_of_living_ones_stay()
    {
        await bed.DeliverAsync(recipients: 3);
        var rows = await ClaimAllAsync();
        await bed.ExecuteAsync($"UPDATE webhook_queue SET session_id = session_id + 1000 WHERE delivery_id <> {rows[0].Id}");

        Assert.Equal(2, await OrphanedRows.ReturnWebhooksAsync(bed.Database, default));
        Assert.Equal(0, await OrphanedRows.ReturnWebhooksAsync(bed.Database, default));
        Assert.Equal([(bed.Session.Id, 0), (null, 1), (null, 1)], (await bed.QueueAsync()).Select(q => (q.SessionId, q.Reclaims)));
    }

    [Fact]
    public async Task Rows_claimed_without_our_knowledge_are_released_and_posted()
    {
        await bed.DeliverAsync(recipients: 3);
        var rows = await ClaimAllAsync();
        Assert.Equal(1, await LeasedQueue.Webhooks.ReleaseStraysAsync(bed.Database, bed.Session.Id, [rows[0].Id, rows[1].Id], default));

        bed.Drain();
        await receiver.ArrivedAsync(3);
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Delivered));
    }

    private async Task<LeasedRow> ClaimAsync()
    {
        if ((await bed.QueueAsync()).Count == 0) await bed.DeliverAsync();
        return Assert.Single(await ClaimAllAsync());
    }

    private async Task<List<LeasedRow>> ClaimAllAsync()
    {
        var lanes = await LeasedQueue.Webhooks.WaitingAsync(bed.Database, default);
        var rows = await LeasedQueue.Webhooks.ClaimAsync(
            bed.Database, bed.Session.Id, lanes.ConvertAll(l => new Want(l.LaneId, 10)), bed.Clock.GetUtcNow(), default);
        return [.. rows.OrderBy(r => r.Id)];
    }

    private WebhookOutcome Delivered(LeasedRow row) => new(bed.Session.Id, row, WebhookDeliveryStatus.Delivered, null, bed.Clock.GetUtcNow(), null);

    private WebhookOutcome Retried(LeasedRow row) =>
        new(bed.Session.Id, row, WebhookDeliveryStatus.Pending, bed.Clock.GetUtcNow(), bed.Clock.GetUtcNow(), "The endpoint answered 500");

    private async Task<bool> WriteAsync(WebhookOutcome outcome)
    {
        await using var connection = await bed.Database.OpenConnectionAsync();
        return (await new WebhookOutcomeWriter().WriteAsync(connection, [outcome], default)).Single().Applied;
    }
}
