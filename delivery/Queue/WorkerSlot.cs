namespace MoxApi.Delivery.Queue;

/// <summary>A worker's place among the connections: for how long its server has kept it waiting, and whether it is to make room for others.</summary>
internal sealed class WorkerSlot(Lane lane, TimeProvider time) : IAsyncDisposable
{
    private const long Nothing = -1;

    private readonly CancellationTokenSource giveUp = new();
    private Task givingUp = Task.CompletedTask;
    private long since = Nothing;

    public Lane Lane => lane;

    /// <summary>The worker's course.</summary>
    public Task Running { get; set; } = Task.CompletedTask;

    /// <summary>Whether it is about to take rows: it has just started, or waits for some with a connection. Under the engine's lock.</summary>
    public bool IsIdle
    {
        get;
        set
        {
            if (field == value) return;
            field = value;
            lane.Idle += value ? 1 : -1;
        }
    }

    /// <summary>Canceled when the worker is to give up on its server, unless that may have the message already.</summary>
    public CancellationToken GiveUp => giveUp.Token;

    /// <summary>Whether it is to give up.</summary>
    public bool IsGivenUp => giveUp.IsCancellationRequested;

    /// <summary>How long the connection that is being opened, or the transaction, has taken; zero while there is neither.</summary>
    public TimeSpan Busy => Volatile.Read(ref since) is var start && start != Nothing ? time.GetElapsedTime(start) : TimeSpan.Zero;

    /// <summary>A connection or a transaction begins.</summary>
    public void Begin() => Volatile.Write(ref since, time.GetTimestamp());

    /// <summary>It has ended; returns how long it took.</summary>
    public TimeSpan End()
    {
        var took = Busy;
        Volatile.Write(ref since, Nothing);
        return took;
    }

    /// <summary>Tells the worker to give up. Called under the engine's lock, so what follows runs elsewhere.</summary>
    public void Abandon() => givingUp = giveUp.CancelAsync();

    /// <inheritdoc/>
    public async ValueTask DisposeAsync()
    {
        await givingUp;
        giveUp.Dispose();
    }
}
