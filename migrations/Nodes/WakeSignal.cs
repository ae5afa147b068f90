namespace MoxApi.Migrations.Nodes;

/// <summary>Wakes one waiting loop; a wake-up while it is busy makes its next wait return at once.</summary>
public sealed class WakeSignal(TimeProvider time)
{
    private readonly Lock gate = new();
    private TaskCompletionSource? waiter;
    private bool set;
    private bool fromElsewhere;

    /// <summary>Wakes the loop.</summary>
    public void Set()
    {
        TaskCompletionSource? woken;
        lock (gate)
        {
            woken = waiter;
            set = woken is null;
            waiter = null;
        }
        woken?.TrySetResult();
    }

    /// <summary>Wakes the loop for what another node committed, of which this one knows nothing yet.</summary>
    public void SetFromElsewhere()
    {
        Volatile.Write(ref fromElsewhere, true);
        Set();
    }

    /// <summary>Whether another node has woken the loop since this was last asked.</summary>
    public bool TakeFromElsewhere() => Interlocked.Exchange(ref fromElsewhere, false);

    /// <summary>Waits for a wake-up, for so long, or until the loop is to stop; never throws.</summary>
    public async Task NextAsync(TimeSpan atMost, CancellationToken stop)
    {
        TaskCompletionSource mine;
        lock (gate)
        {
            if (set)
            {
                set = false;
                return;
            }
            mine = waiter = new(TaskCreationOptions.RunContinuationsAsynchronously);
        }
        if (atMost > TimeSpan.Zero) await mine.Task.WaitAsync(atMost, time, stop).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        lock (gate)
        {
            if (ReferenceEquals(waiter, mine)) waiter = null;
        }
    }
}
