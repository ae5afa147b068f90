using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Writing;
using MoxApi.Webhooks.Posting;
using Npgsql;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>
/// Posts what is due. One loop goes round: see which endpoints have rows waiting, claim due rows as far as slots are free, load them, start
/// their calls; then it waits for a wake-up, the end of a call, or the next row's time. All that the loop knows is in its own hands: calls run
/// beside it and report through <see cref="finished"/>. While a call runs, no transaction is open: the lease is the row's session.
/// </summary>
public sealed partial class WebhookDispatcher : IAsyncDisposable
{
    /// <summary>The role's name, which <see cref="NodeSession.Wake"/> takes.</summary>
    public const string Role = "webhooks";

    private const int SlotsPerHalf = 512;

    private static readonly TimeSpan Poll = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan UnsafeWait = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestBackOff = TimeSpan.FromSeconds(5);

    // On stop, calls under way may end, and then their outcomes be committed, each for so long.
    private static readonly TimeSpan Grace = TimeSpan.FromSeconds(4);

    private readonly NpgsqlDataSource database;
    private readonly NodeSession session;
    private readonly WebhookSender sender;
    private readonly WebhookMetrics metrics;
    private readonly TimeProvider time;
    private readonly ILogger<WebhookDispatcher> logger;
    private readonly ClosedEndpoints closed;
    private readonly DueDeliveries deliveries;
    private readonly GroupCommit<WebhookOutcome, WebhookOutcomeResult> outcomes;
    private readonly EndpointLanes lanes = new(SlotsPerHalf, Random.Shared);
    private readonly Dictionary<long, Task> running = [];
    private readonly ConcurrentQueue<Finished> finished = new();
    private readonly List<LeasedRow> claimed = [];
    private Holder? holder;
    private volatile int underWay;
    private long sweptAt;
    private long roundAt;

    /// <summary>A dispatcher for this node; <see cref="DrainAsync"/> runs it.</summary>
    public WebhookDispatcher(
        NpgsqlDataSource database, NodeSession session, PublicIds ids, SecretBox secrets, WebhookSender sender, WebhookMetrics metrics, TimeProvider time,
        ILogger<WebhookDispatcher> logger)
    {
        (this.database, this.session, this.sender, this.metrics, this.time, this.logger) = (database, session, sender, metrics, time, logger);
        closed = new(database);
        deliveries = new(database, ids, secrets, time);
        metrics.Running = () => underWay;
        outcomes = new(database, new WebhookOutcomeWriter(), retry: true, time);
        outcomes.Start();
        roundAt = time.GetTimestamp();
    }

    /// <summary>The time since the loop last went round without a fault. It does so every 10 s at rest.</summary>
    public TimeSpan SinceLastRound => time.GetElapsedTime(Volatile.Read(ref roundAt));

    /// <summary>Posts what is due until told to stop; then lets calls under way end, gives the rest back, and returns normally.</summary>
    public async Task DrainAsync(CancellationToken stop)
    {
        var backOff = UnsafeWait;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var wait = await GoRoundAsync(stop);
                backOff = UnsafeWait;
                await session.Signal(Role).NextAsync(wait, stop);
            }
            catch (Exception fault) when (!stop.IsCancellationRequested)
            {
                // Nothing that goes wrong in a round may end the loop: PostgreSQL will be back.
                Log.RoundFailed(logger, fault);
                await Task.Delay(backOff, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
                backOff = backOff * 2 < LongestBackOff ? backOff * 2 : LongestBackOff;
            }
            catch (Exception)
            {
                // Stopped in the middle of a statement.
            }
        }
        await FinishAsync();
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await outcomes.DisposeAsync();

    /// <summary>Does what can be done now; returns how long there is nothing to do, unless something happens.</summary>
    private async Task<TimeSpan> GoRoundAsync(CancellationToken stop)
    {
        Settle();
        if (!session.IsSafe) return UnsafeWait;
        var mine = Hold();
        if (time.GetElapsedTime(sweptAt) >= Poll || sweptAt == 0) await SweepAsync(mine, stop);
        var wait = TimeSpan.Zero;
        if (claimed.Count == 0)
        {
            var now = time.GetUtcNow();
            var waiting = await closed.WaitingAsync(now, stop);
            claimed.AddRange(await LeasedQueue.Webhooks.ClaimAsync(database, mine.Session, lanes.Wants(waiting.Lanes, now), now, stop));
            wait = waiting.More ? TimeSpan.Zero : lanes.UntilNext(waiting.Lanes, now, Poll);
        }
        await StartAsync(mine, stop);
        Volatile.Write(ref roundAt, time.GetTimestamp());
        return wait;
    }

    /// <summary>The session to claim for. With a new one, what was held under the old one is no longer ours.</summary>
    private Holder Hold()
    {
        var lost = session.Lost; // Before the id, as it asks.
        var id = session.Id;
        if (holder is { } same && same.Session == id && !same.Calls.IsCancellationRequested) return same;
        claimed.Clear();
        return holder = new(id, CancellationTokenSource.CreateLinkedTokenSource(lost));
    }

    /// <summary>Starts the calls of what was claimed. Where loading fails, the rows stay in <see cref="claimed"/> for the next round.</summary>
    private async Task StartAsync(Holder mine, CancellationToken stop)
    {
        if (claimed.Count == 0) return;
        var due = await deliveries.LoadAsync(claimed, stop);
        claimed.Clear();
        foreach (var delivery in due) running[delivery.Row.Id] = RunAsync(delivery, lanes.Take(delivery.Row.LaneId), mine);
        underWay = running.Count;
    }

    /// <summary>One call from start to committed outcome.</summary>
    private async Task RunAsync(DueDelivery due, EndpointLanes.Slot slot, Holder mine)
    {
        PostResult? result = null;
        try
        {
            var at = time.GetUtcNow();
            if (due.Post is { } post) result = await sender.PostAsync(post, mine.Calls.Token);
            var outcome = WebhookOutcome.Of(mine.Session, due, at, result, time.GetUtcNow(), Random.Shared);
            Note(due.Row, outcome, await outcomes.WriteAsync(outcome));
        }
        catch (Exception) when (mine.Calls.IsCancellationRequested)
        {
            // The session was lost, or the node stops: the row goes to whoever claims it next.
        }
        catch (Exception fault)
        {
            Log.CallFailed(logger, due.Row.Id, fault); // The row comes back with the next sweep.
        }
        finally
        {
            finished.Enqueue(new(due.Row.Id, slot, result));
            session.Signal(Role).Set();
        }
    }

    private void Note(LeasedRow row, WebhookOutcome outcome, WebhookOutcomeResult written)
    {
        if (!written.Applied) Log.Refused(logger, row.Id);
        else if (outcome.Call is { } call) metrics.Count(call, outcome.Status);
        if (!written.Disabled) return;
        metrics.CountDisabled();
        Log.Disabled(logger, row.LaneId);
    }

    private void Settle()
    {
        while (finished.TryDequeue(out var call))
        {
            running.Remove(call.Delivery);
            lanes.Return(call.Slot, call.Result);
        }
        underWay = running.Count;
    }

    /// <summary>Brings rows back that nobody works on: of sessions that died, and of our own whose claim we never heard of.</summary>
    private async Task SweepAsync(Holder mine, CancellationToken stop)
    {
        await session.EndDeadSessionsAsync(stop);
        var returned = await LeasedQueue.Webhooks.ReturnOrphansAsync(database, stop);
        if (returned > 0) Log.Returned(logger, returned);
        await LeasedQueue.Webhooks.ReleaseStraysAsync(database, mine.Session, [.. running.Keys, .. claimed.Select(r => r.Id)], stop);
        sweptAt = time.GetTimestamp();
    }

    private async Task FinishAsync()
    {
        if (holder is null) return;
        await Task.WhenAll(running.Values).WaitAsync(Grace, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        await holder.Calls.CancelAsync();
        await Task.WhenAll(running.Values).WaitAsync(Grace, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        Settle();
        claimed.Clear();
        try
        {
            // Not the rows whose outcome PostgreSQL still owes us: they come back when the session ends.
            await LeasedQueue.Webhooks.ReleaseStraysAsync(database, holder.Session, [.. running.Keys], CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.NotReleased(logger, fault.Message);
        }
    }

    /// <summary>A session that rows are held for, and what ends its calls: the session's loss, or the end of the grace at stop.</summary>
    private sealed record Holder(long Session, CancellationTokenSource Calls);

    private readonly record struct Finished(long Delivery, EndpointLanes.Slot Slot, PostResult? Result);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "A round of webhooks failed; it is tried again")]
        internal static partial void RoundFailed(ILogger logger, Exception fault);

        [LoggerMessage(LogLevel.Error, "Webhook delivery {Delivery} failed within")]
        internal static partial void CallFailed(ILogger logger, long delivery, Exception fault);

        [LoggerMessage(LogLevel.Warning, "The outcome of webhook delivery {Delivery} was not taken: its lease had ended, or its webhook was deleted")]
        internal static partial void Refused(ILogger logger, long delivery);

        [LoggerMessage(LogLevel.Warning, "Webhook endpoint {Endpoint} answered 410, or has failed for days, and is disabled")]
        internal static partial void Disabled(ILogger logger, long endpoint);

        [LoggerMessage(LogLevel.Warning, "{Count} webhook deliveries of nodes that died come back")]
        internal static partial void Returned(ILogger logger, int count);

        [LoggerMessage(LogLevel.Warning, "Webhook deliveries could not be given back: {Fault}")]
        internal static partial void NotReleased(ILogger logger, string fault);
    }
}
