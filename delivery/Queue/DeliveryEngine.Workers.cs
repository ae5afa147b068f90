using Microsoft.Extensions.Logging;
using MoxApi.Mail.Addresses;

namespace MoxApi.Delivery.Queue;

/// <content>What the workers of the destinations ask for and tell, and who watches over them.</content>
internal sealed partial class DeliveryEngine
{
    /// <summary>Takes rows of its lane for a worker, all of one lease: its share of those that wait.</summary>
    /// <param name="slot">The worker.</param>
    /// <param name="atMost">How many.</param>
    /// <param name="toSend">Whether they are to be sent. Then one that came back from a dead session comes alone, so that it is known which it was if this one dies too.</param>
    internal List<ReadyRow> Take(WorkerSlot slot, int atMost, bool toSend = true)
    {
        lock (gate)
        {
            var (lane, lease) = (slot.Lane, session.Id);
            slot.IsIdle = true;
            if (toSend) atMost = Math.Min(atMost, room.InOneHand(lane));
            var share = Math.Min(atMost, LaneStaff.ShareOf(lane));
            slot.IsIdle = false;
            var rows = new List<ReadyRow>(share);
            while (rows.Count < share && lane.Ready.TryPeek(out var next) && !(toSend && rows.Count > 0 && next.IsSuspect))
            {
                var row = lane.Take();
                // Of a session that was lost: others have it, or we do again under the new one.
                if (row.Lease != lease) Drop(lane, row);
                else rows.Add(row);
                if (toSend && row.IsSuspect && rows.Count > 0) break;
            }
            return rows;
        }
    }

    /// <summary>Waits, with a connection in hand, until rows come; false when none came in time.</summary>
    internal async Task<bool> AwaitRowsAsync(WorkerSlot slot, CancellationToken stop)
    {
        var (lane, since) = (slot.Lane, time.GetTimestamp());
        while (options.IdleConnection - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero && !stop.IsCancellationRequested)
        {
            Task arrival;
            lock (gate)
            {
                slot.IsIdle = true;
                if (lane.Ready.Count > 0) return true;
                arrival = lane.Arrival.Task;
            }
            // All that wait are woken, and the first takes the row: the others wait on.
            await arrival.WaitAsync(left, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
        lock (gate) return lane.Ready.Count > 0;
    }

    /// <summary>Octets of messages that a worker may read at a time. One message it may read in any case.</summary>
    internal long RoomInMemory(Lane lane)
    {
        lock (gate) return Math.Min(MostReadAtOnce, lane.Share.RoomForBytes);
    }

    /// <summary>A worker has read the message of a row.</summary>
    internal ReadyRow Count(Lane lane, ReadyRow row, long octets)
    {
        lock (gate)
        {
            bytesRead += octets;
            return lane.Load(row, octets);
        }
    }

    /// <summary>A worker found no room for the message of a row, which waits until others are done.</summary>
    internal void PutBack(Lane lane, ReadyRow row)
    {
        lock (gate) lane.PutBack(row);
    }

    /// <summary>A worker is done with a row; if it stays in the queue, it says when it is due again.</summary>
    internal void Finish(Lane lane, ReadyRow row, DateTimeOffset? dueAgain)
    {
        lock (gate)
        {
            Drop(lane, row);
            if (dueAgain is { } due) Due(lane.Id, due);
            CallIn(lane);
        }
    }

    /// <summary>A worker's outcome for a row was refused: it stays leased, since a second delivery would be worse, until the session ends.</summary>
    internal void Keep(Lane lane, ReadyRow row)
    {
        lock (gate)
        {
            lane.Done(row);
            Free(row);
        }
    }

    /// <summary>A server has answered in a transaction: by the time that took, the destination is a quick or a slow one.</summary>
    internal void Answered(Lane lane, TimeSpan took)
    {
        lock (gate)
        {
            lane.Answered();
            Move(lane, took < options.SlowAfter ? shares.Proven : shares.Slow);
            staff.Staff(lane);
        }
    }

    /// <summary>No server of the destination took a connection. Where it was for good, DNS says so at once the next time: that needs no pause.</summary>
    internal void Unreachable(Lane lane, bool forGood)
    {
        lock (gate)
        {
            if (lane.Share == shares.Proven) Move(lane, shares.Unknown);
            lane.Failed(forGood ? null : time.GetUtcNow());
        }
    }

    /// <summary>PostgreSQL cannot be used for the moment: the lane's rows are claimed again a little later.</summary>
    internal void Pause(Lane lane)
    {
        lock (gate) lane.Failed(time.GetUtcNow());
    }

    // Under the lock.
    private Task Start(WorkerSlot slot)
    {
        var (stop, abort) = (stopping.Token, aborting.Token);
        return Task.Run(() => RunAsync(slot, stop, abort), CancellationToken.None);
    }

    private async Task RunAsync(WorkerSlot slot, CancellationToken stop, CancellationToken abort)
    {
        try
        {
            await workers.RunAsync(this, slot, stop, abort);
        }
        catch (Exception fault)
        {
            Log.WorkerFailed(logger, slot.Lane.Domain.Ascii, fault);
        }
        lock (gate)
        {
            var lane = slot.Lane;
            staff.Ended(slot);
            staff.Staff(lane);
            CallIn(lane);
            if (lane.Leased == 0 && lane.Workers == 0 && active.Count > MostIdleLanes) active.Remove(lane.Id);
            staff.ServeWaiting();
        }
        await slot.DisposeAsync();
    }

    // Looks after destinations that keep their workers waiting.
    private async Task WatchAsync(CancellationToken stop)
    {
        using var timer = new PeriodicTimer(options.SlowAfter / 4, time);
        while (await timer.WaitForNextTickAsync(stop).AsTask().ContinueWith(tick => tick.IsCompletedSuccessfully && tick.Result, TaskScheduler.Default))
        {
            foreach (var (domain, rows) in SetSlowOnesApart()) await GiveBackAsync(domain, rows);
        }
    }

    private List<(MailDomain Domain, List<ReadyRow> Rows)> SetSlowOnesApart()
    {
        lock (gate)
        {
            var overdue = staff.Overdue();
            foreach (var slot in overdue) Move(slot.Lane, shares.Slow);
            var shed = overdue.Select(s => s.Lane).Distinct().Where(l => l.Share.IsOverfull).Select(Shed).ToList();
            foreach (var lane in staff.Relieve(overdue).Where(l => l.IsAbandoned))
            {
                lane.Failed(time.GetUtcNow());
                shed.Add(Shed(lane));
            }
            CallIn();
            staff.ServeWaiting();
            foreach (var lane in overdue.Select(s => s.Lane).Distinct()) staff.Reinforce(lane);
            return shed;
        }
    }

    // Rows go back to the queue, to be claimed when the lane has room.
    private (MailDomain Domain, List<ReadyRow> Rows) Shed(Lane lane)
    {
        var rows = lane.Shed();
        lane.Full |= rows.Count > 0;
        return (lane.Domain, rows);
    }

    // What it leaves behind is for others that wait.
    private void Move(Lane lane, LaneShare to)
    {
        if (lane.Share == to) return;
        lane.MoveTo(to);
        if (to == shares.Slow) bytes -= lane.Unload();
        staff.ServeWaiting();
        CallIn(lane);
    }

    private void Drop(Lane lane, ReadyRow row)
    {
        lane.Done(row);
        Forget(row);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "The delivery worker for {Domain} failed")]
        internal static partial void WorkerFailed(ILogger logger, string domain, Exception fault);
    }
}
