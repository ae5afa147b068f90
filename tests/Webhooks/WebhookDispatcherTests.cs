using System.Text;
using Microsoft.AspNetCore.Http;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Signing;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookDispatcherTests(TestPostgres postgres) : IAsyncLifetime
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
    public async Task An_event_is_posted_signed_and_exactly_as_documented()
    {
        var (_, secret) = await bed.AddEndpointAsync(receiver.Url);
        bed.Drain();
        var (message, recipients) = await bed.AcceptAsync();
        await bed.SettleAsync(RecipientStatus.Delivered, recipients);
        await receiver.ArrivedAsync();

        var had = Assert.Single(receiver.Received);
        Assert.Equal(WebhookVerdict.Authentic, had.Verify(secret, bed.Clock.GetUtcNow()));
        Assert.True(bed.Ids.TryRead(PublicIdKind.Event, had.Id, out _));
        var expected =
            $$$"""{"type":"message.delivered","timestamp":"2026-11-22T10:00:00.123Z","data":{"eventId":"{{{had.Id}}}","sequence":2,"""
            + $$$"""
            "accountId":"{{{bed.Ids.Make(PublicIdKind.Account, bed.Account)}}}",
            "message":{"id":"{{{bed.Ids.Make(PublicIdKind.Message, message)}}}","messageId":"<m42@acme.example>","subject":"Your receipt ☺","tags":["receipt"],"metadata":{"orderId":"42"}},
            "recipient":{"id":"{{{bed.Ids.Make(PublicIdKind.Recipient, recipients[0])}}}","address":"jane0@example.org","status":"delivered"},
            "attempt":{"number":1,"smtpCode":250,"enhancedCode":"2.0.0","reply":"2.0.0 Ok: queued","failureClass":"none","remoteHost":"mx1.example.org"}
            """.Replace("\n", "", StringComparison.Ordinal) + "}}";
        Assert.Equal(expected, Encoding.UTF8.GetString(had.Body));

        await bed.UntilDeliveriesAsync(d => d.Single().Status == WebhookDeliveryStatus.Delivered);
        Assert.Equal((1, 204, null), (await bed.DeliveriesAsync()).Select(d => (d.Attempts, d.ResponseStatus, d.Error)).Single());
        Assert.Empty(await bed.QueueAsync());
    }

    [Fact]
    public async Task A_retry_has_the_same_id_and_octets_and_a_fresh_signature()
    {
        var (_, secret) = await bed.AddEndpointAsync(receiver.Url);
        receiver.Answer = Status(500);
        bed.Drain();
        var (_, recipients) = await bed.AcceptAsync();
        await bed.SettleAsync(RecipientStatus.Delayed, recipients);
        await receiver.ArrivedAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        // Meanwhile the recipient has moved on; the event has not.
        await bed.ExecuteAsync("UPDATE recipient SET status = 4, attempts = 7, event_sequence = 9");
        receiver.Answer = Status(200);
        bed.Advance(TimeSpan.FromSeconds(6));
        await receiver.ArrivedAsync();

        var (first, second) = (receiver.Received[0], receiver.Received[1]);
        Assert.Equal(first.Id, second.Id);
        Assert.Equal(first.Body, second.Body);
        Assert.Contains("\"status\":\"delayed\"", Encoding.UTF8.GetString(second.Body), StringComparison.Ordinal);
        Assert.NotEqual(first.Headers["webhook-timestamp"], second.Headers["webhook-timestamp"]);
        Assert.Equal(WebhookVerdict.Authentic, second.Verify(secret, bed.Clock.GetUtcNow()));
    }

    [Fact]
    public async Task The_loop_goes_round_after_a_failure_to_learn_when_the_next_attempt_is_due()
    {
        await using var own = await WebhookBed.MakeAsync(postgres, waitsByClock: true);
        await own.AddEndpointAsync(receiver.Url);
        var answer = new TaskCompletionSource();
        receiver.Answer = async context =>
        {
            await answer.Task;
            context.Response.StatusCode = 500;
        };
        own.Drain();
        await own.DeliverAsync();
        await receiver.ArrivedAsync();
        own.Clock.Advance(TimeSpan.FromSeconds(3)); // Less than the loop sleeps when it knows of nothing.
        answer.SetResult();

        await own.UntilDeliveriesAsync(d => d.Single().Attempts == 1);

        await Eventually.HoldsAsync(() => Task.FromResult(own.Dispatcher.SinceLastRound == TimeSpan.Zero), "a round after the failure");
    }

    [Fact]
    public async Task An_endpoint_that_keeps_failing_is_tried_eleven_times_at_the_promised_times()
    {
        await bed.AddEndpointAsync(receiver.Url);
        receiver.Answer = Status(500);
        bed.Drain();
        await bed.DeliverAsync();
        for (var attempt = 1; attempt <= 11; attempt++)
        {
            await receiver.ArrivedAsync();
            await bed.UntilDeliveriesAsync(d => d.Single().Attempts == attempt);
            if (attempt == 11) break;
            var due = (await bed.QueueAsync()).Single().DueAt - bed.Clock.GetUtcNow();
            Assert.InRange(due, RetrySchedule.Gaps[attempt - 1] * 0.89, RetrySchedule.Gaps[attempt - 1] * 1.11);
            bed.Advance(due);
        }

        Assert.Equal((WebhookDeliveryStatus.Failed, 500), (await bed.DeliveriesAsync()).Select(d => (d.Status, d.ResponseStatus)).Single());
        Assert.Empty(await bed.QueueAsync());
    }

    [Fact]
    public async Task A_dead_endpoint_costs_a_live_one_nothing()
    {
        await using var dead = await WebhookReceiver.StartAsync();
        dead.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        await bed.AddEndpointAsync(dead.Url);
        await bed.AddEndpointAsync(receiver.Url);
        bed.Drain();
        await bed.DeliverAsync(recipients: 100);

        // The clock stands still: not one of the dead endpoint's calls can have ended.
        await receiver.ArrivedAsync(100);
        await dead.ArrivedAsync(2);
        Assert.Equal(2, dead.MostAtATime);
        Assert.InRange(receiver.MostAtATime, 1, 16);
        await bed.UntilDeliveriesAsync(d => d.Count(x => x.Status == WebhookDeliveryStatus.Delivered) == 100);
    }

    [Fact]
    public async Task A_failing_endpoint_is_probed_by_one_call_until_it_is_back()
    {
        await bed.AddEndpointAsync(receiver.Url);
        receiver.Answer = Status(500);
        await bed.DeliverAsync(recipients: 30);
        bed.Drain();
        await receiver.ArrivedAsync(30);
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Attempts == 1));
        Assert.InRange(receiver.MostAtATime, 1, 2);

        receiver.Answer = Status(200);
        bed.Advance(TimeSpan.FromSeconds(6));
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Delivered));
    }

    [Fact]
    public async Task Gone_disables_the_endpoint_and_ends_its_other_deliveries_unposted()
    {
        var (id, _) = await bed.AddEndpointAsync(receiver.Url);
        receiver.Answer = Status(410);
        await bed.DeliverAsync(recipients: 10);
        bed.Drain();
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Failed));

        Assert.InRange(receiver.Received.Length, 1, 2);
        Assert.NotNull((await bed.Endpoints.GetAsync(bed.Account, id, default))!.DisabledAt);
        Assert.Empty(await bed.QueueAsync());
        var deliveries = await bed.DeliveriesAsync();
        Assert.Equal(receiver.Received.Length, deliveries.Count(d => d.Attempts == 1));
        Assert.All(deliveries, d => Assert.StartsWith(d.Attempts == 0 ? "The webhook is disabled." : "The endpoint answered 410", d.Error, StringComparison.Ordinal));

        await bed.DeliverAsync();
        Assert.Equal(10, (await bed.DeliveriesAsync()).Count);
    }

    [Fact]
    public async Task An_endpoint_that_asks_for_time_gets_it_for_all_its_events()
    {
        await bed.AddEndpointAsync(receiver.Url);
        receiver.Answer = context =>
        {
            context.Response.Headers.RetryAfter = "600";
            context.Response.StatusCode = 429;
            return Task.CompletedTask;
        };
        bed.Drain();
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Attempts == 1);
        Assert.InRange((await bed.QueueAsync()).Single().DueAt - bed.Clock.GetUtcNow(), TimeSpan.FromSeconds(599), TimeSpan.FromSeconds(661));
        receiver.Answer = Status(200);
        await bed.DeliverAsync();
        await using var other = await WebhookReceiver.StartAsync();
        await bed.AddEndpointAsync(other.Url);
        await bed.DeliverAsync();
        // So the loop has gone round since, and left the first endpoint alone.
        await bed.UntilDeliveriesAsync(d => d.Count(x => x.Status == WebhookDeliveryStatus.Delivered) == 1);
        Assert.Single(receiver.Received);

        bed.Advance(TimeSpan.FromSeconds(661));
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Status == WebhookDeliveryStatus.Delivered));
    }

    [Fact]
    public async Task What_is_queued_for_a_deleted_endpoint_goes_with_it()
    {
        var (id, _) = await bed.AddEndpointAsync(receiver.Url);
        await bed.DeliverAsync(recipients: 3);
        Assert.False(await bed.Endpoints.DeleteAsync(bed.Account + 1, id, default));
        Assert.Equal(3, (await bed.QueueAsync()).Count);
        Assert.True(await bed.Endpoints.DeleteAsync(bed.Account, id, default));

        Assert.Empty(await bed.QueueAsync());
        Assert.Empty(await bed.DeliveriesAsync());
        Assert.False(await bed.Endpoints.DeleteAsync(bed.Account, id, default));
    }

    [Fact]
    public async Task A_delivery_whose_endpoint_was_deleted_in_between_ends_unposted()
    {
        await bed.AddEndpointAsync(receiver.Url);
        await bed.DeliverAsync(recipients: 2);
        await bed.ExecuteAsync("DELETE FROM webhook_endpoint");
        await bed.ExecuteAsync("DELETE FROM webhook_delivery WHERE id = (SELECT min(id) FROM webhook_delivery)");
        bed.Drain();

        await WebhookBed.UntilAsync(async () => (await bed.QueueAsync()).Count == 0);
        Assert.Equal("The webhook was deleted.", (await bed.DeliveriesAsync()).Single().Error);
        Assert.Empty(receiver.Received);
    }

    [Fact]
    public async Task A_delivery_whose_endpoint_was_disabled_just_after_the_claim_is_not_posted()
    {
        var (id, _) = await bed.AddEndpointAsync(receiver.Url);
        await bed.DeliverAsync();
        await bed.ExecuteAsync("UPDATE webhook_endpoint SET disabled_at = now()");

        var due = await new DueDeliveries(bed.Database, bed.Ids, bed.Secrets, bed.Clock).LoadAsync([new LeasedRow((await bed.QueueAsync()).Single().DeliveryId, id, 0, 0)], default);

        Assert.Equal((null, ClosedEndpoints.Disabled, false), due.Select(d => (d.Post, d.Error, d.MayTryAgain)).Single());
    }

    [Fact]
    public async Task A_secret_that_cannot_be_opened_is_a_failure_that_harms_no_other_endpoint()
    {
        await bed.AddEndpointAsync(receiver.Url);
        await bed.ExecuteAsync("UPDATE webhook_endpoint SET sealed_secret = '\\x00'");
        await bed.AddEndpointAsync(receiver.Url);
        bed.Drain();
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.All(x => x.Attempts == 1));

        var deliveries = await bed.DeliveriesAsync();
        Assert.StartsWith("The event could not be made ready", deliveries[0].Error, StringComparison.Ordinal);
        Assert.Equal(WebhookDeliveryStatus.Pending, deliveries[0].Status);
        Assert.Equal(WebhookDeliveryStatus.Delivered, deliveries[1].Status);
    }

    [Fact]
    public async Task A_stop_lets_calls_end_that_end_soon_and_gives_the_others_back()
    {
        var release = new TaskCompletionSource();
        await using var stuck = await WebhookReceiver.StartAsync();
        stuck.Answer = context => Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, context.RequestAborted);
        receiver.Answer = _ => release.Task;
        var (quick, _) = await bed.AddEndpointAsync(receiver.Url);
        await bed.AddEndpointAsync(stuck.Url);
        bed.Drain();
        await bed.DeliverAsync();
        await receiver.ArrivedAsync();
        await stuck.ArrivedAsync();
        release.SetResult();
        await bed.StopAsync();

        var deliveries = await bed.DeliveriesAsync();
        Assert.Equal(WebhookDeliveryStatus.Delivered, deliveries.Single(d => d.EndpointId == quick).Status);
        Assert.Equal((WebhookDeliveryStatus.Pending, 0), deliveries.Where(d => d.EndpointId != quick).Select(d => (d.Status, d.Attempts)).Single());
        Assert.Null((await bed.QueueAsync()).Single().SessionId);
    }

    [Fact]
    public async Task PostgreSQL_going_away_does_not_end_the_loop()
    {
        await bed.AddEndpointAsync(receiver.Url);
        bed.Drain();
        await bed.DeliverAsync();
        await bed.UntilDeliveriesAsync(d => d.Single().Status == WebhookDeliveryStatus.Delivered);
        for (var i = 0; i < 5; i++)
        {
            // As our own connection goes too, the answer is an error.
            await Assert.ThrowsAnyAsync<Npgsql.NpgsqlException>(() => bed.ExecuteAsync(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() ORDER BY pid = pg_backend_pid()"));
            bed.Advance(TimeSpan.FromSeconds(1));
        }
        await WebhookBed.UntilAsync(async () =>
        {
            bed.Advance(TimeSpan.FromSeconds(5));
            return await IsReachableAsync() && bed.Session.IsSafe;
        });
        await bed.DeliverAsync();
        await WebhookBed.UntilAsync(async () =>
        {
            bed.Advance(TimeSpan.FromSeconds(5));
            return (await bed.DeliveriesAsync()).All(d => d.Status == WebhookDeliveryStatus.Delivered);
        });
        Assert.Equal(2, receiver.Received.Length);
    }

    [Fact]
    public async Task One_loop_runs_at_a_time_and_jobs_of_other_nodes_end_at_once()
    {
        var jobs = new WebhookJobs(bed.Session, bed.Dispatcher);
        await jobs.DrainWebhooks("another", default).WaitAsync(WebhookBed.Patience);
        using var stop = new CancellationTokenSource();
        var first = jobs.DrainWebhooks("test", stop.Token);
        Assert.True(jobs.IsRunning);
        await jobs.DrainWebhooks("test", default).WaitAsync(WebhookBed.Patience);

        await stop.CancelAsync();
        await first.WaitAsync(WebhookBed.Patience);
        Assert.False(jobs.IsRunning);
    }

    [Fact]
    public async Task After_its_job_was_ended_another_goes_on()
    {
        await bed.AddEndpointAsync(receiver.Url);
        var jobs = new WebhookJobs(bed.Session, bed.Dispatcher);
        using var stop = new CancellationTokenSource();
        var first = jobs.DrainWebhooks("test", stop.Token);
        var (_, recipients) = await bed.AcceptAsync();
        await bed.SettleAsync(RecipientStatus.Delivered, recipients);
        await bed.UntilDeliveriesAsync(d => d.Single().Status == WebhookDeliveryStatus.Delivered);
        await stop.CancelAsync();
        await first.WaitAsync(WebhookBed.Patience);

        using var end = new CancellationTokenSource();
        var second = jobs.DrainWebhooks("test", end.Token);
        (_, recipients) = await bed.AcceptAsync();
        await bed.SettleAsync(RecipientStatus.Delivered, recipients);

        await bed.UntilDeliveriesAsync(d => d.Count == 2 && d.All(each => each.Status == WebhookDeliveryStatus.Delivered));
        await end.CancelAsync();
        await second.WaitAsync(WebhookBed.Patience);
    }

    private static Func<HttpContext, Task> Status(int status) => context =>
    {
        context.Response.StatusCode = status;
        return Task.CompletedTask;
    };

    private async Task<bool> IsReachableAsync()
    {
        try
        {
            await bed.ExecuteAsync("SELECT 1");
            return true;
        }
        catch (Npgsql.NpgsqlException)
        {
            return false;
        }
    }
}
