using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Outcomes;
using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Identifiers;

namespace MoxApi.Delivery.Queue;

/// <summary>
/// The rows that a worker has in hand, from their taking until their outcome is committed or they are given back. Commits are awaited at the
/// end, so that the next message is on its way while the last one's outcome is written.
/// </summary>
internal sealed partial class Hand(LaneWorkers all, DeliveryEngine engine, WorkerSlot slot)
{
    private readonly Lane lane = slot.Lane;
    private readonly Dictionary<(long Id, long Lease), ReadyRow> rows = [];
    private readonly List<((long Id, long Lease) Row, Task<DateTimeOffset?> Committed)> commits = [];

    /// <summary>Takes rows of the lane.</summary>
    public List<ReadyRow> Take(int atMost, bool toSend = true)
    {
        var taken = engine.Take(slot, atMost, toSend);
        foreach (var row in taken) rows.Add((row.Id, row.Lease), row);
        return taken;
    }

    /// <summary>The rows that are still ours and may be sent to. Those that cannot be read are settled as such; those for which memory has no room go back to the lane.</summary>
    public async Task<List<QueuedRecipient>> LoadAsync(List<ReadyRow> taken, CancellationToken abort)
    {
        var recipients = await ReadAsync(taken, abort);
        // RFC 6376 §3.5: after the time of x= a signature is not valid; and its key may be gone.
        var validFrom = all.Time.GetUtcNow() - Submission.LateVerification;
        foreach (var late in recipients.Where(r => r.ExpiresAt < validFrom)) Settle(late, all.NoAttempt, Verdict.TooLate);
        recipients.RemoveAll(r => r.ExpiresAt < validFrom);
        return recipients;
    }

    private async Task<List<QueuedRecipient>> ReadAsync(List<ReadyRow> taken, CancellationToken abort)
    {
        var mine = all.Session.Id;
        var recipients = taken.Where(r => r.Lease == mine && r.Loaded is not null).Select(r => r.Loaded!).ToList();
        var others = taken.Where(r => r.Lease == mine && r.Loaded is null).Select(r => r.Id).ToArray();
        if (others.Length == 0) return recipients;
        if (taken.Any(r => r.IsSuspect)) await all.Reader.MarkInHandAsync(mine, others, abort);
        recipients.AddRange(await EachAsync(others, ids => LoadAsync(ids, mine, abort), id => FailAsync([id], mine, abort)));
        return recipients;
    }

    /// <summary>What is in hand and still ours, without its messages: to be settled and not to be sent.</summary>
    public async Task<List<QueuedRow>> OutlinesAsync(CancellationToken abort)
    {
        var mine = all.Session.Id;
        await RefuseAsync(await all.Admission.CheckAsync(Mine(mine), abort), mine);
        return await all.Reader.OutlinesAsync(mine, Mine(mine), abort);
    }

    /// <summary>Whether a recipient is still to be decided over.</summary>
    public bool Has(QueuedRecipient recipient) => rows.ContainsKey((recipient.Id, recipient.Lease));

    /// <summary>Looks again whether recipients may be sent to, and lets go of those that may not.</summary>
    public async Task CheckAsync(IEnumerable<QueuedRecipient> recipients, CancellationToken abort) =>
        await RefuseAsync(await all.Admission.CheckAsync([.. recipients.Select(r => r.Id)], abort), all.Session.Id);

    /// <summary>Begins to commit what an attempt made of a recipient.</summary>
    public void Settle(QueuedRow recipient, AttemptRecord record, Verdict verdict, bool tryOtherFamily = false)
    {
        commits.Add(((recipient.Id, recipient.Lease), all.Outcomes.CommitAsync(recipient, record, verdict, tryOtherFamily)));
        Log.Attempted(all.Logger, all.PublicId(PublicIdKind.Message, recipient.MessageId), all.PublicId(PublicIdKind.Recipient, recipient.Id), lane.Domain.Ascii, verdict.Code, verdict.Class);
    }

    /// <summary>Waits for the commits.</summary>
    public async Task FinishAsync()
    {
        foreach (var (key, committed) in commits)
        {
            await ((Task)committed).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (!rows.Remove(key, out var row)) continue;
            if (committed.IsCompletedSuccessfully)
            {
                engine.Finish(lane, row, committed.Result);
                continue;
            }
            Log.NotCommitted(all.Logger, all.PublicId(PublicIdKind.Recipient, key.Id), committed.Exception?.InnerException);
            engine.Keep(lane, row);
        }
        commits.Clear();
    }

    /// <summary>Gives back the rows on which nothing was decided.</summary>
    public async Task GiveBackAsync()
    {
        if (rows.Count == 0) return;
        var due = all.Time.GetUtcNow();
        await all.GiveBackAsync(lane.Domain, rows.Values);
        foreach (var row in rows.Values) engine.Finish(lane, row, due);
        rows.Clear();
    }

    /// <summary>Settles what is not decided as a fault of ours.</summary>
    public async Task FailRestAsync(CancellationToken abort)
    {
        await FinishAsync();
        var mine = all.Session.Id;
        await FailAsync(Mine(mine), mine, abort);
    }

    private long[] Mine(long lease) => [.. rows.Keys.Where(k => k.Lease == lease).Select(k => k.Id)];

    private async Task<List<QueuedRecipient>> LoadAsync(long[] ids, long lease, CancellationToken abort)
    {
        var loaded = await all.Reader.LoadAsync(lease, ids, engine.RoomInMemory(lane), abort);
        foreach (var message in loaded.Ready.GroupBy(r => r.Message))
        {
            var share = message.Key.Bytes / message.Count();
            foreach (var recipient in message) rows[(recipient.Id, lease)] = engine.Count(lane, rows[(recipient.Id, lease)], share);
        }
        foreach (var id in loaded.Left)
        {
            if (rows.Remove((id, lease), out var row)) engine.PutBack(lane, row);
        }
        foreach (var row in loaded.Unreadable) Settle(row, all.NoAttempt, Verdict.OwnFault);
        await RefuseAsync(loaded.Refused, lease);
        return loaded.Ready;
    }

    private async Task FailAsync(long[] ids, long lease, CancellationToken abort)
    {
        var outlines = await EachAsync(ids, some => all.Reader.OutlinesAsync(lease, some, abort), id => Keep(id, lease));
        foreach (var row in outlines) Settle(row, all.NoAttempt, Verdict.OwnFault);
    }

    // What cannot be read among others is read one by one: so a damaged row is the trouble of one recipient.
    private async Task<List<T>> EachAsync<T>(long[] ids, Func<long[], Task<List<T>>> read, Func<long, Task> failed)
    {
        try
        {
            return await read(ids);
        }
        catch (Exception fault) when (ids.Length > 1 && QueueReader.IsOfStored(fault))
        {
            var found = new List<T>();
            foreach (var id in ids) found.AddRange(await EachAsync([id], read, failed));
            return found;
        }
        catch (Exception fault) when (QueueReader.IsOfStored(fault))
        {
            Log.Unreadable(all.Logger, all.PublicId(PublicIdKind.Recipient, ids[0]), fault);
            await failed(ids[0]);
            return [];
        }
    }

    // Not even an outcome can be written for it: it stays leased, out of the others' way.
    private Task Keep(long id, long lease)
    {
        if (rows.Remove((id, lease), out var row)) engine.Keep(lane, row);
        return Task.CompletedTask;
    }

    private async Task RefuseAsync(RefusedRows refused, long lease)
    {
        await all.Admission.RefuseAsync(refused, lease, CancellationToken.None);
        foreach (var id in refused.All)
        {
            if (rows.Remove((id, lease), out var row)) engine.Finish(lane, row, null);
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Tried {Message}, {Recipient} to {Domain}: {Code}, failure class {Class}")]
        internal static partial void Attempted(ILogger logger, string message, string recipient, string domain, int code, Migrations.Messages.FailureClass @class);

        [LoggerMessage(LogLevel.Error, "Recipient {Recipient} cannot be read as it is stored")]
        internal static partial void Unreadable(ILogger logger, string recipient, Exception fault);

        [LoggerMessage(LogLevel.Error, "The outcome for recipient {Recipient} could not be committed")]
        internal static partial void NotCommitted(ILogger logger, string recipient, Exception? fault);
    }
}
