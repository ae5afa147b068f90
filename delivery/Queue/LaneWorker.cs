using System.Globalization;
using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Outcomes;
using MoxApi.Delivery.Routing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// One worker: takes rows of its lane, groups those of a message that share a reverse-path, and sends them over one connection after the
/// other until nothing is left. An attempt reads: connect, send, judge, commit.
/// </summary>
internal sealed partial class LaneWorker(LaneWorkers all, DeliveryEngine engine, WorkerSlot slot, CancellationToken stop, CancellationToken abort) : IAsyncDisposable
{
    private const int BatchSize = LaneShare.FewRows;

    // RFC 3463 §3.8: x.7.x is security or policy. Some hosts refuse one address family by policy and take the other.
    private const int PolicySubject = 7;

    private readonly Lane lane = slot.Lane;
    private readonly Hand hand = new(all, engine, slot);
    private Route? route;
    private bool continueRoute;
    private bool passedOver;
    private SmtpConnection? connection;
    private ConnectionNeed connectedFor;
    private DateTimeOffset connectedAt;
    private int transactions;

    /// <summary>Works until the lane has no rows, and has had none for a while.</summary>
    public async Task RunAsync()
    {
        while (!stop.IsCancellationRequested && !slot.IsGivenUp)
        {
            var rows = hand.Take(BatchSize);
            if (rows.Count > 0) await DeliverAsync(rows);
            else if (connection is null || !await engine.AwaitRowsAsync(slot, stop)) return;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await DisconnectAsync();

    private async Task DeliverAsync(List<ReadyRow> rows)
    {
        try
        {
            await TryDeliverAsync(rows);
        }
        catch (Exception fault) when (!QueueReader.IsOfStored(fault))
        {
            if (abort.IsCancellationRequested) return;
            // Nothing was decided over the rest: it is given back, with a pause, or the same rows would come back at once.
            Log.Interrupted(all.Logger, lane.Domain.Ascii, fault.Message);
            engine.Pause(lane);
        }
        finally
        {
            await hand.FinishAsync();
            await hand.GiveBackAsync();
        }
    }

    private async Task TryDeliverAsync(List<ReadyRow> rows)
    {
        try
        {
            await SendAsync(await hand.LoadAsync(rows, abort));
        }
        catch (Exception fault) when (QueueReader.IsOfStored(fault))
        {
            Log.Failed(all.Logger, lane.Domain.Ascii, fault);
            await hand.FailRestAsync(abort);
        }
    }

    // What has the same reverse-path goes in the same transaction; what has the same needs, over the same connection.
    private async Task SendAsync(List<QueuedRecipient> recipients)
    {
        var groups = recipients
            .GroupBy(r => (Need: NeedOf(r), Message: r.Message.Id, Own: r.Message.ReturnPathDomain is null ? 0 : r.Id))
            .OrderBy(g => g.Key.Need.VerifiedTls).ThenBy(g => g.Key.Need.Avoid)
            .SelectMany(g => g.Chunk(all.Options.MaxRecipientsPerTransaction), (g, chunk) => (g.Key.Need, Recipients: chunk)).ToList();
        var lastLook = DateTimeOffset.MinValue;
        for (var i = 0; i < groups.Count && !stop.IsCancellationRequested && !slot.IsGivenUp; i++)
        {
            // What could not be finished need not be begun.
            if (!MayFinish(groups[i].Recipients[0].Lease)) return;
            if (groups[i].Recipients.Any(r => MustLookAgain(r, lastLook)))
            {
                lastLook = all.Time.GetUtcNow();
                await hand.CheckAsync(groups.Skip(i).SelectMany(g => g.Recipients), abort);
            }
            var group = groups[i].Recipients.Where(hand.Has).ToList();
            if (group.Count == 0 || await SendGroupAsync(groups[i].Need, group) is not { } unreachable) continue;
            await FailLaneAsync(groups.Skip(i + 1).SelectMany(g => g.Recipients).Where(hand.Has), unreachable.Record, unreachable.Verdict);
            return;
        }
    }

    private bool MustLookAgain(QueuedRecipient recipient, DateTimeOffset lastLook) =>
        all.Time.GetUtcNow() - (recipient.CheckedAt > lastLook ? recipient.CheckedAt : lastLook) > all.Admission.Fresh || all.Admission.IsKnownToBeStopped(recipient.Message);

    // Returns the failure when no server of the destination could be reached: it holds for all that wait.
    private async Task<(AttemptRecord Record, Verdict Verdict)?> SendGroupAsync(ConnectionNeed need, List<QueuedRecipient> group)
    {
        var lease = group[0].Lease;
        var (at, since) = (all.Time.GetUtcNow(), all.Time.GetTimestamp());
        var steps = new List<SmtpStep>();
        // A host that could not take the message before may be the best one for this.
        if (passedOver) await DisconnectAsync();
        route?.BeginAttempt();
        while (group.Count > 0)
        {
            var connected = await ConnectAsync(need);
            steps.AddRange(connected && transactions > 0 ? [ReuseStep()] : route!.TakeSteps());
            if (!connected)
            {
                var (record, verdict) = (Record(at, since, steps), route!.Failure ?? Verdict.NoServer);
                foreach (var recipient in group) hand.Settle(recipient, record, verdict);
                return route.HoldsForAll ? (record, verdict) : null;
            }
            transactions++;
            if (await TransactAsync(group, lease, need) is not { } transaction)
            {
                foreach (var recipient in group) hand.Settle(recipient, Record(at, since, steps), Verdict.OwnFault);
                return null;
            }
            if (transaction.LeaseLost) return null;
            steps.AddRange(transaction.Steps);
            group = Settle(group, Record(at, since, [.. steps]), transaction, need);
        }
        return null;
    }

    // Null when the message cannot be read as it is stored: that is its own trouble, and must not hold up others.
    private async Task<SmtpTransaction?> TransactAsync(List<QueuedRecipient> group, long lease, ConnectionNeed need)
    {
        slot.Begin();
        try
        {
            var transaction = await connection!.SendAsync(Envelope(group, need), Content(group[0].Message), () => MayFinish(lease, group[0].Message), abort, slot.GiveUp);
            if (transaction.IsAnswered) engine.Answered(lane, slot.End());
            return transaction;
        }
        catch (Exception fault) when (QueueReader.IsOfStored(fault))
        {
            Log.Failed(all.Logger, lane.Domain.Ascii, fault);
            return null;
        }
        finally
        {
            slot.End();
        }
    }

    // No final dot when our last committed heartbeat is too old, or the lease went with a session that is lost.
    private bool MayFinish(long lease) => all.Session.IsSafe && all.Session.Id == lease;

    private bool MayFinish(long lease, QueuedMessage message) => MayFinish(lease) && !all.Admission.IsKnownToBeStopped(message);

    // Settles what is decided; returns who goes into a further transaction at once.
    private List<QueuedRecipient> Settle(List<QueuedRecipient> group, AttemptRecord record, SmtpTransaction transaction, ConnectionNeed need)
    {
        var again = new List<QueuedRecipient>();
        for (var i = 0; i < group.Count; i++)
        {
            var result = transaction.Recipients[i];
            if (result.Outcome == SmtpRecipientOutcome.NotTried || MayTryNextHost(result, transaction) || MayPassOver(result, transaction, need))
            {
                again.Add(group[i]);
                continue;
            }
            var verdict = Judge(result.Verdict!, need);
            // RFC 5321 §6.1: no answer to the final dot leaves open who has the message; another attempt may deliver it twice.
            if (transaction.IsAmbiguous(result)) verdict = verdict with { Text = $"{verdict.Text} Whether the message was delivered is not known." };
            hand.Settle(group[i], record, verdict, MayTryOtherFamily(group[i], verdict));
        }
        return again;
    }

    // The session broke before the final dot: nothing was delivered, and another host may do better (RFC 5321 §5.1).
    private bool MayTryNextHost(SmtpRecipientResult result, SmtpTransaction transaction)
    {
        if (transaction.FinalDotSent || result is not { Outcome: SmtpRecipientOutcome.TransientFailure, Verdict: { Fault: not SmtpFault.None } or { Code: 421 } }) return false;
        route!.Note(Verdict.Of(result.Verdict));
        return continueRoute = true;
    }

    // RFC 8689 §4.2.1: where a host lacks REQUIRETLS the next one is tried; so too for what else a message needs. First this host gets those that it can take.
    private bool MayPassOver(SmtpRecipientResult result, SmtpTransaction transaction, ConnectionNeed need)
    {
        if (result.Verdict is not { Fault: SmtpFault.ExtensionMissing } verdict) return false;
        if (transaction.Recipients.Any(r => r.Outcome == SmtpRecipientOutcome.NotTried)) return true;
        route!.Note(Judge(verdict, need));
        route.PassOver();
        return passedOver = continueRoute = true;
    }

    private bool MayTryOtherFamily(QueuedRecipient recipient, Verdict verdict) =>
        recipient.Attempts == 0 && verdict is { Ends: true, Enhanced: { Class: 5, Subject: PolicySubject }, Code: >= 500 } && route!.Host!.IsDualStack;

    private async Task FailLaneAsync(IEnumerable<QueuedRecipient> rest, AttemptRecord record, Verdict verdict)
    {
        await DisconnectAsync();
        engine.Unreachable(lane, verdict.Ends);
        foreach (var recipient in rest) hand.Settle(recipient, record, verdict);
        await hand.FinishAsync();
        while (hand.Take(BatchSize * 10, toSend: false).Count > 0)
        {
            foreach (var row in await hand.OutlinesAsync(abort)) hand.Settle(row, record, verdict);
            await hand.FinishAsync();
        }
    }

    private async Task<bool> ConnectAsync(ConnectionNeed need)
    {
        if (!continueRoute && connection is { CanSend: true } && connectedFor == need && transactions < all.Options.MaxTransactionsPerConnection) return true;
        // A walk that a broken session interrupted goes on at the next address; else a new one begins.
        if (!continueRoute || connectedFor != need) await DisconnectAsync();
        else await HangUpAsync();
        route ??= all.RouteTo(lane.Domain, need, slot.GiveUp, abort);
        (connectedFor, transactions, continueRoute) = (need, 0, false);
        slot.Begin();
        try
        {
            connection = await route.NextAsync();
        }
        finally
        {
            slot.End();
        }
        connectedAt = all.Time.GetUtcNow();
        return connection is not null;
    }

    private async Task DisconnectAsync()
    {
        await HangUpAsync();
        if (route is not null) await route.DisposeAsync();
        (route, transactions, continueRoute, passedOver) = (null, 0, false, false);
    }

    private async Task HangUpAsync()
    {
        if (connection is null) return;
        if (!abort.IsCancellationRequested) await connection.QuitAsync(CancellationToken.None);
        await connection.DisposeAsync();
        connection = null;
    }

    private SmtpEnvelope Envelope(List<QueuedRecipient> group, ConnectionNeed need) => new()
    {
        ReversePath = all.ReversePath(group[0]),
        ForwardPaths = group.ConvertAll(r => r.Address),
        NeedsSmtpUtf8 = group[0].Message.NeedsSmtpUtf8,
        RequireTls = need.VerifiedTls,
    };

    private SmtpContent Content(QueuedMessage message) => message.Body is { } body
        ? new SmtpContent(message.Header, body)
        : new SmtpContent(message.Header, message.BodySize, cancel => all.Reader.ChunksAsync(message, cancel));

    private AttemptRecord Record(DateTimeOffset at, long since, IReadOnlyList<SmtpStep> steps) =>
        new(at, all.Time.GetElapsedTime(since), route?.Host?.Host, route?.Address, connection?.Tls, steps);

    private SmtpStep ReuseStep() => new(
        "reuse", 0, string.Create(CultureInfo.InvariantCulture, $"Transaction {transactions + 1} on the connection opened at {connectedAt:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}."), 0,
        $"{route!.Host!.Host} [{route.Address}]");

    private static ConnectionNeed NeedOf(QueuedRecipient recipient) => new(recipient.Message.RequireTls == RequireTls.Required, recipient.RefusedAt?.AddressFamily);

    private static Verdict Judge(SmtpVerdict verdict, ConnectionNeed need) =>
        need.VerifiedTls && verdict is { Fault: SmtpFault.ExtensionMissing, Enhanced.Subject: PolicySubject } ? Verdict.TlsRequired(verdict.Text) : Verdict.Of(verdict);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "Delivery to {Domain} was interrupted: {Fault}")]
        internal static partial void Interrupted(ILogger logger, string domain, string fault);

        [LoggerMessage(LogLevel.Error, "A message to {Domain} cannot be read as it is stored")]
        internal static partial void Failed(ILogger logger, string domain, Exception fault);
    }
}
