using System.Globalization;
using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Outcomes;
using MoxApi.Delivery.Routing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;
using Npgsql;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// One worker: takes rows of its lane, groups those of a message that share a reverse-path, and sends them over one connection after the
/// other until nothing is left. An attempt reads: connect, send, judge, commit. Commits are awaited at the end of a batch, so that the next
/// message is on its way while the last one's outcome is written.
/// </summary>
internal sealed partial class LaneWorker(LaneWorkers all, DeliveryEngine engine, Lane lane, CancellationToken stop, CancellationToken abort) : IAsyncDisposable
{
    private const int BatchSize = 20;

    // RFC 3463 §3.8: x.7.x is security or policy. Some hosts refuse one address family by policy and take the other.
    private const int PolicySubject = 7;

    private readonly Dictionary<long, ReadyRow> pending = [];
    private readonly List<(long Recipient, Task<DateTimeOffset?> Committed)> commits = [];
    private Route? route;
    private bool continueRoute;
    private SmtpConnection? connection;
    private ConnectionNeed connectedFor;
    private DateTimeOffset connectedAt;
    private int transactions;

    /// <summary>Works until the lane has no rows, and has had none for a while.</summary>
    public async Task RunAsync()
    {
        while (!stop.IsCancellationRequested)
        {
            var rows = engine.Take(lane, BatchSize);
            if (rows.Count > 0) await DeliverAsync(rows);
            else if (connection is null || !await engine.AwaitRowsAsync(lane, stop)) return;
        }
    }

    /// <inheritdoc/>
    public async ValueTask DisposeAsync() => await DisconnectAsync();

    private async Task DeliverAsync(List<ReadyRow> rows)
    {
        foreach (var row in rows) pending.Add(row.Id, row);
        try
        {
            await SendAsync(await LoadAsync(rows));
        }
        catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
        {
            // Nothing was decided over the rest: it is given back.
            if (!abort.IsCancellationRequested) Log.Interrupted(all.Logger, lane.Domain.Ascii, fault.Message);
        }
        finally
        {
            await FinishAsync();
            await GiveBackAsync();
        }
    }

    private async Task<List<QueuedRecipient>> LoadAsync(List<ReadyRow> rows)
    {
        var mine = all.Session.Id;
        var recipients = rows.Where(r => r.Lease == mine && r.Loaded is not null).Select(r => r.Loaded!).ToList();
        var others = rows.Where(r => r.Lease == mine && r.Loaded is null).Select(r => r.Id).ToArray();
        if (others.Length > 0) recipients.AddRange(await all.Reader.LoadAsync(mine, others, abort));
        return recipients;
    }

    // What has the same reverse-path goes in the same transaction; what has the same needs, over the same connection.
    private async Task SendAsync(List<QueuedRecipient> recipients)
    {
        var groups = recipients
            .GroupBy(r => (Need: NeedOf(r), Message: r.Message.Id, Own: r.Message.ReturnPathDomain is null ? 0 : r.Id))
            .OrderBy(g => g.Key.Need.VerifiedTls).ThenBy(g => g.Key.Need.Avoid)
            .SelectMany(g => g.Chunk(all.Options.MaxRecipientsPerTransaction), (g, chunk) => (g.Key.Need, Recipients: chunk)).ToList();
        for (var i = 0; i < groups.Count && !stop.IsCancellationRequested; i++)
        {
            if (await SendGroupAsync(groups[i].Need, [.. groups[i].Recipients]) is not { } unreachable) continue;
            await FailLaneAsync(groups.Skip(i + 1).SelectMany(g => g.Recipients), unreachable.Record, unreachable.Verdict);
            return;
        }
    }

    // Returns the failure when no server of the destination could be reached: it holds for all that wait.
    private async Task<(AttemptRecord Record, Verdict Verdict)?> SendGroupAsync(ConnectionNeed need, List<QueuedRecipient> group)
    {
        var lease = pending[group[0].Id].Lease;
        var (at, since) = (all.Time.GetUtcNow(), all.Time.GetTimestamp());
        var steps = new List<SmtpStep>();
        while (group.Count > 0)
        {
            var connected = await ConnectAsync(need);
            steps.AddRange(connected && transactions > 0 ? [ReuseStep()] : route!.TakeSteps());
            if (!connected)
            {
                var failure = (Record(at, since, steps), route!.Failure ?? Verdict.NoServer);
                foreach (var recipient in group) Settle(recipient, lease, failure.Item1, failure.Item2);
                return need.VerifiedTls || route.Connected ? null : failure;
            }
            transactions++;
            var transaction = await connection!.SendAsync(Envelope(group, need), Content(group[0].Message), () => MayFinish(lease), abort);
            if (transaction.LeaseLost) return null;
            steps.AddRange(transaction.Steps);
            group = Settle(group, lease, Record(at, since, [.. steps]), transaction, need);
        }
        return null;
    }

    // No final dot when our last committed heartbeat is too old, or the lease went with a session that is lost.
    private bool MayFinish(long lease) => all.Session.IsSafe && all.Session.Id == lease;

    // Settles what is decided; returns who goes into a further transaction at once.
    private List<QueuedRecipient> Settle(List<QueuedRecipient> group, long lease, AttemptRecord record, SmtpTransaction transaction, ConnectionNeed need)
    {
        var again = new List<QueuedRecipient>();
        for (var i = 0; i < group.Count; i++)
        {
            var result = transaction.Recipients[i];
            if (result.Outcome == SmtpRecipientOutcome.NotTried || MayTryNextHost(result, transaction)) again.Add(group[i]);
            else Settle(group[i], lease, record, Judge(result.Verdict!, need));
        }
        return again;
    }

    // The session broke before the final dot: nothing was delivered, and another host may do better (RFC 5321 §5.1).
    private bool MayTryNextHost(SmtpRecipientResult result, SmtpTransaction transaction)
    {
        if (connection!.CanSend || transaction.FinalDotSent || result.Outcome != SmtpRecipientOutcome.TransientFailure) return false;
        route!.Note(Verdict.Of(result.Verdict!));
        return continueRoute = true;
    }

    private void Settle(QueuedRecipient recipient, long lease, AttemptRecord record, Verdict verdict)
    {
        var otherFamily = recipient.Attempts == 0 && verdict is { Ends: true, Enhanced: { Class: 5, Subject: PolicySubject }, Code: >= 500 } && route!.Host!.IsDualStack;
        commits.Add((recipient.Id, all.Outcomes.CommitAsync(recipient, lease, record, verdict, otherFamily)));
        Log.Attempted(all.Logger, recipient.Message.Id, recipient.Id, lane.Domain.Ascii, verdict.Code, verdict.Class);
    }

    private async Task FailLaneAsync(IEnumerable<QueuedRecipient> rest, AttemptRecord record, Verdict verdict)
    {
        await DisconnectAsync();
        engine.Unreachable(lane);
        foreach (var recipient in rest) Settle(recipient, pending[recipient.Id].Lease, record, verdict);
        while (engine.Take(lane, BatchSize * 10) is { Count: > 0 } rows)
        {
            await FinishAsync();
            foreach (var row in rows) pending.Add(row.Id, row);
            foreach (var recipient in await LoadAsync(rows)) Settle(recipient, pending[recipient.Id].Lease, record, verdict);
        }
    }

    private async Task<bool> ConnectAsync(ConnectionNeed need)
    {
        if (connection is { CanSend: true } && connectedFor == need && transactions < all.Options.MaxTransactionsPerConnection) return true;
        if (!continueRoute || connectedFor != need) await DisconnectAsync();
        // A walk that a broken session interrupted goes on at the next address; else a new one begins.
        route ??= all.RouteTo(lane.Domain, need, abort);
        (connectedFor, transactions, continueRoute) = (need, 0, false);
        connection = await route.NextAsync();
        if (connection is null) return false;
        connectedAt = all.Time.GetUtcNow();
        engine.Connected(lane);
        return true;
    }

    private async Task DisconnectAsync()
    {
        if (connection is not null)
        {
            if (!abort.IsCancellationRequested) await connection.QuitAsync(CancellationToken.None);
            await connection.DisposeAsync();
        }
        if (route is not null) await route.DisposeAsync();
        (connection, route, transactions, continueRoute) = (null, null, 0, false);
    }

    private async Task FinishAsync()
    {
        foreach (var (recipient, committed) in commits)
        {
            await ((Task)committed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (committed.Exception is { } fault)
            {
                // It stays leased: an outcome that PostgreSQL refuses must not become a second delivery as long as this node lives.
                Log.NotCommitted(all.Logger, recipient, fault.InnerException!);
            }
            if (pending.Remove(recipient, out var row)) engine.Finish(lane, row, committed.IsCompletedSuccessfully ? committed.Result : null, staysLeased: committed.IsFaulted);
        }
        commits.Clear();
    }

    private async Task GiveBackAsync()
    {
        if (pending.Count == 0) return;
        var due = all.Time.GetUtcNow();
        try
        {
            await all.Reader.ReleaseAsync(pending.Values, CancellationToken.None);
        }
        catch (NpgsqlException fault)
        {
            Log.NotGivenBack(all.Logger, lane.Domain.Ascii, pending.Count, fault.Message);
        }
        foreach (var row in pending.Values) engine.Finish(lane, row, due);
        pending.Clear();
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
        [LoggerMessage(LogLevel.Debug, "Message {Message}, recipient {Recipient} to {Domain}: {Code}, {Class}")]
        internal static partial void Attempted(ILogger logger, long message, long recipient, string domain, int code, FailureClass @class);

        [LoggerMessage(LogLevel.Warning, "Delivery to {Domain} was interrupted: {Fault}")]
        internal static partial void Interrupted(ILogger logger, string domain, string fault);

        [LoggerMessage(LogLevel.Error, "The outcome for recipient {Recipient} could not be committed")]
        internal static partial void NotCommitted(ILogger logger, long recipient, Exception fault);

        [LoggerMessage(LogLevel.Warning, "Rows for {Domain} ({Count}) could not be given back; a later sweep will: {Fault}")]
        internal static partial void NotGivenBack(ILogger logger, string domain, int count, string fault);
    }
}
