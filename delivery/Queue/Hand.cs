using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Outcomes;
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

    /// <summary>All of the rows that are still ours, to be sent to; those that cannot be read are settled as such.</summary>
    public async Task<List<QueuedRecipient>> LoadAsync(List<ReadyRow> taken, bool toSend, CancellationToken abort)
    {
        var mine = all.Session.Id;
        var recipients = taken.Where(r => r.Lease == mine && r.Loaded is not null).Select(r => r.Loaded!).ToList();
        var others = taken.Where(r => r.Lease == mine && r.Loaded is null).Select(r => r.Id).ToArray();
        if (others.Length == 0) return recipients;
        if (toSend && taken.Any(r => r.IsSuspect)) await all.Reader.MarkInHandAsync(mine, others, abort);
        var loaded = await all.Reader.LoadAsync(mine, others, abort);
        foreach (var row in loaded.Unreadable) Settle(row, new(all.Time.GetUtcNow(), TimeSpan.Zero, null, null, null, []), Verdict.OwnFault);
        await RefuseAsync(loaded.Refused, mine);
        recipients.AddRange(loaded.Ready);
        return recipients;
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

        [LoggerMessage(LogLevel.Error, "The outcome for recipient {Recipient} could not be committed")]
        internal static partial void NotCommitted(ILogger logger, string recipient, Exception? fault);
    }
}
