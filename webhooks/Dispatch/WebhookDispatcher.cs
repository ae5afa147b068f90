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
/// their calls; then it waits for a wake-up or the next row's time. A call that ends begins its endpoint's next one from the rows in hand, and wakes
/// the loop when there may be more to claim. While a call runs, no transaction is open: the lease is the row's session.
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
    private readonly List<LeasedRow> claimed = [];
    private Holder? holder;

    // What the loop and the calls share.
    private readonly Lock gate = new();
    private readonly EndpointLanes lanes = new(SlotsPerHalf, Random.Shared);
    private readonly Dictionary<long, Task> running = [];
    private readonly List<LeasedRow> unwanted = [];
    private bool stopped;

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
        metrics.Running = () => running.Count;
        outcomes = new(database, new WebhookOutcomeWriter(), retry: true, time, "webhook");
        outcomes.Start();
        roundAt = time.GetTimestamp();
    }

    /// <summary>The time since the loop last went round without a fault. It does so every 10 s at rest.</summary>
    public TimeSpan SinceLastRound => time.GetElapsedTime(Volatile.Read(ref roundAt));

    /// <summary>Posts what is due until told to stop; then lets calls under way end, gives the rest back, and returns normally.</summary>
    public async Task DrainAsync(CancellationToken stop)
    {
        // Hangfire ends a job also when somebody requeues or deletes it, and begins another.
        lock (gate) stopped = false;
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
        if (!session.IsSafe) return UnsafeWait;
        var mine = Hold();
        await GiveBackAsync(mine, stop);
        if (time.GetElapsedTime(sweptAt) >= Poll || sweptAt == 0) await SweepAsync(mine, stop);
        var wait = claimed.Count == 0 ? await ClaimAsync(mine, stop) : TimeSpan.Zero;
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
        lock (gate)
        {
            unwanted.Clear();
            lanes.TakeReady();
        }
        return holder = new(id, CancellationTokenSource.CreateLinkedTokenSource(lost));
    }

    /// <summary>Gives back rows that were in hand when their endpoint failed. If that fails, the sweep finds that nobody knows of them.</summary>
    private async Task GiveBackAsync(Holder mine, CancellationToken stop)
    {
        long[] rows;
        lock (gate)
        {
            rows = [.. unwanted.Select(row => row.Id)];
            unwanted.Clear();
        }
        await LeasedQueue.Webhooks.ReleaseAsync(database, mine.Session, rows, stop);
    }

    /// <summary>Claims what is due, as far as slots are free; returns how long nothing more will be.</summary>
    private async Task<TimeSpan> ClaimAsync(Holder mine, CancellationToken stop)
    {
        var now = time.GetUtcNow();
        var waiting = await closed.WaitingAsync(now, stop);
        List<Want> wants;
        lock (gate) wants = lanes.Wants(waiting.Lanes, now);
        claimed.AddRange(await LeasedQueue.Webhooks.ClaimAsync(database, mine.Session, wants, now, stop));
        lock (gate) lanes.Learn(wants, claimed);
        // Of an endpoint that gave its last due row, what is due next is not known yet.
        var isLast = claimed.Count > 0 && claimed.Count < wants.Sum(want => want.Rows);
        return waiting.More || isLast ? TimeSpan.Zero : EndpointLanes.UntilNext(waiting.Lanes, now, Poll);
    }

    /// <summary>Loads what was claimed and begins the calls that may begin. Where loading fails, the rows stay in <see cref="claimed"/> for the next round.</summary>
    private async Task StartAsync(Holder mine, CancellationToken stop)
    {
        if (claimed.Count == 0) return;
        var due = await deliveries.LoadAsync(claimed, stop);
        claimed.Clear();
        lock (gate)
        {
            foreach (var delivery in due) Begin(lanes.Add(delivery), mine);
        }
    }

    /// <summary>Begins an endpoint's calls, as many as it may have. Within <see cref="gate"/>.</summary>
    private void Begin(EndpointLane lane, Holder mine)
    {
        while (!stopped && !mine.Calls.IsCancellationRequested && lane.TryBegin(out var row)) running[row.Due.Row.Id] = Task.Run(() => RunAsync(row, mine));
    }

    /// <summary>One call from start to committed outcome.</summary>
    private async Task RunAsync(Held row, Holder mine)
    {
        var due = row.Due;
        var ended = false;
        try
        {
            var at = time.GetUtcNow();
            var result = due.Post is { } post ? await sender.PostAsync(post, mine.Calls.Token) : null;
            ended = Learn(row, result, mine);
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
            lock (gate) running.Remove(due.Row.Id);
            if (!ended) End(row, mine, rescheduled: true);
        }
    }

    /// <summary>
    /// Learns from a call. After a success the endpoint's next call begins while this one's outcome is committed. After a failure it waits for
    /// that: the outcome may be that the endpoint is not to be called.
    /// </summary>
    private bool Learn(Held row, PostResult? result, Holder mine)
    {
        if (result is null) return false;
        lock (gate)
        {
            row.Lane.Learn(result);
            if (!result.Succeeded) unwanted.AddRange(lanes.TakeReady(row.Lane));
        }
        if (result.Succeeded) End(row, mine, rescheduled: false);
        return result.Succeeded;
    }

    /// <summary>Makes room for the endpoint's next call, and begins it. A row that is to be posted again has a time that the loop does not know yet.</summary>
    private void End(Held row, Holder mine, bool rescheduled)
    {
        bool wake;
        lock (gate)
        {
            lanes.End(row);
            Begin(row.Lane, mine);
            wake = rescheduled || unwanted.Count > 0 || lanes.MayClaimFor(row.Lane);
        }
        if (wake) session.Signal(Role).Set();
    }

    private void Note(LeasedRow row, WebhookOutcome outcome, WebhookOutcomeResult written)
    {
        if (!written.Applied) Log.Refused(logger, row.Id);
        else if (outcome.Call is { } call) metrics.Count(call, outcome.Status);
        if (!written.Disabled) return;
        metrics.CountDisabled();
        Log.Disabled(logger, row.LaneId);
    }

    /// <summary>Brings rows back that nobody works on: of sessions that died, and of our own whose claim we never heard of.</summary>
    private async Task SweepAsync(Holder mine, CancellationToken stop)
    {
        await session.EndDeadSessionsAsync(stop);
        var returned = await OrphanedRows.ReturnWebhooksAsync(database, stop);
        if (returned > 0) Log.Returned(logger, returned);
        await LeasedQueue.Webhooks.ReleaseStraysAsync(database, mine.Session, InHand(), stop);
        sweptAt = time.GetTimestamp();
    }

    private long[] InHand()
    {
        lock (gate) return [.. running.Keys, .. lanes.Ready, .. claimed.Select(row => row.Id)];
    }

    private async Task FinishAsync()
    {
        if (holder is null) return;
        lock (gate)
        {
            stopped = true;
            lanes.TakeReady();
        }
        await RunningAsync();
        await holder.Calls.CancelAsync();
        await RunningAsync();
        claimed.Clear();
        try
        {
            // Not the rows whose outcome PostgreSQL still owes us: they come back when the session ends.
            await LeasedQueue.Webhooks.ReleaseStraysAsync(database, holder.Session, InHand(), CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.NotReleased(logger, fault.Message);
        }
    }

    private async Task RunningAsync()
    {
        Task[] calls;
        lock (gate) calls = [.. running.Values];
        await Task.WhenAll(calls).WaitAsync(Grace, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    /// <summary>A session that rows are held for, and what ends its calls: the session's loss, or the end of the grace at stop.</summary>
    private sealed record Holder(long Session, CancellationTokenSource Calls);

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
