using System.Threading.Channels;
using Npgsql;

namespace MoxApi.Migrations.Writing;

/// <summary>How a group of items becomes one atomic write.</summary>
public interface IGroupWrite<T, TResult>
{
    /// <summary>What an item counts against <see cref="GroupCommit{T,TResult}.GroupBytes"/>, in octets.</summary>
    long SizeOf(T item);

    /// <summary>Writes the group in one transaction and returns a result for each item, in order, after the commit.</summary>
    Task<TResult[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<T> group, CancellationToken cancel);
}

/// <summary>
/// Group commit: while one commit runs, what comes in gathers, and goes together in the next. There is no artificial wait: on an idle
/// service a write starts at once, under load the groups grow by themselves. One writer for what is
/// written alike: a second one on the same two cores and the same disk only splits the groups. If PostgreSQL refuses a group, it is rolled back
/// and its members run one by one, so a bad row fails alone.
/// </summary>
/// <param name="database">Where to write.</param>
/// <param name="write">What to write.</param>
/// <param name="retry">Whether a write that failed because PostgreSQL could not be reached is tried until it can be. Its statement must
/// then be harmless when it is run again after a commit whose answer was lost.</param>
/// <param name="time">The clock of the waits between tries.</param>
/// <param name="name">What the metrics call this writer.</param>
/// <param name="maxWaiting">How many items may wait: while PostgreSQL stalls, what goes on coming in must not fill the memory.</param>
public sealed class GroupCommit<T, TResult>(
    NpgsqlDataSource database, IGroupWrite<T, TResult> write, bool retry, TimeProvider time, string name = "", int maxWaiting = int.MaxValue) : IAsyncDisposable
{
    /// <summary>Octets in a group, unless one item alone has more.</summary>
    public const long GroupBytes = 4 << 20;

    /// <summary>Items in a group.</summary>
    public const int GroupItems = 1000;

    private static readonly TimeSpan RetryWait = TimeSpan.FromMilliseconds(250);

    private readonly Channel<Pending> incoming = Channel.CreateUnbounded<Pending>(new() { SingleReader = true });
    private readonly CancellationTokenSource stopping = new();
    private readonly CommitMetrics metrics = new(name);
    private int waiting;
    private Task? loop;

    /// <summary>Starts the writer.</summary>
    public void Start() => loop = Task.Run(RunAsync);

    /// <summary>Writes an item with whatever else is waiting; returns after the commit.</summary>
    /// <exception cref="NoRoomException">Too many wait already.</exception>
    /// <exception cref="PostgresException">PostgreSQL refused this item.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL could not be reached: whether it committed is not known.</exception>
    /// <exception cref="ObjectDisposedException">The writer was stopped first.</exception>
    public Task<TResult> WriteAsync(T item)
    {
        var pending = new Pending(item, time.GetTimestamp());
        var room = Interlocked.Increment(ref waiting) <= maxWaiting;
        if (room && incoming.Writer.TryWrite(pending)) return pending.Done.Task;
        Interlocked.Decrement(ref waiting);
        return Task.FromException<TResult>(room ? new ObjectDisposedException(nameof(GroupCommit<,>)) : new NoRoomException("Too many writes wait for PostgreSQL."));
    }

    /// <summary>Writes what is waiting, then stops.</summary>
    public async ValueTask DisposeAsync()
    {
        incoming.Writer.TryComplete();
        // PostgreSQL may be gone for good: what is waiting for it cannot be waited for.
        stopping.CancelAfter(TimeSpan.FromSeconds(10));
        if (loop is not null) await loop;
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        var group = new List<Pending>();
        while (await incoming.Reader.WaitToReadAsync())
        {
            Gather(group);
            await WriteGroupAsync(group);
            Interlocked.Add(ref waiting, -group.Count);
            group.Clear();
        }
    }

    private void Gather(List<Pending> group)
    {
        var bytes = 0L;
        while (group.Count < GroupItems && incoming.Reader.TryPeek(out var next))
        {
            bytes += write.SizeOf(next.Item);
            if (group.Count > 0 && bytes > GroupBytes) return;
            incoming.Reader.TryRead(out next);
            group.Add(next!);
        }
    }

    private async Task WriteGroupAsync(List<Pending> group)
    {
        try
        {
            var results = await CommitAsync(group.ConvertAll(p => p.Item));
            metrics.Committed(group.Count, time.GetElapsedTime(group[0].Since));
            for (var i = 0; i < group.Count; i++) group[i].Done.TrySetResult(results[i]);
        }
        // Refused by PostgreSQL, or by Npgsql before it was sent, as text that is no Unicode is. When the connection broke, nobody is to blame.
        catch (Exception fault) when (group.Count > 1 && fault is PostgresException or not (NpgsqlException or OperationCanceledException))
        {
            foreach (var pending in group) await WriteGroupAsync([pending]);
        }
        catch (Exception fault)
        {
            foreach (var pending in group) pending.Done.TrySetException(fault);
        }
    }

    private async Task<TResult[]> CommitAsync(List<T> items)
    {
        while (true)
        {
            try
            {
                await using var connection = await database.OpenConnectionAsync(stopping.Token);
                return await write.WriteAsync(connection, items, stopping.Token);
            }
            catch (NpgsqlException fault) when (retry && Passes(fault) && !stopping.IsCancellationRequested)
            {
                await Task.Delay(RetryWait, time, stopping.Token);
            }
        }
    }

    // A server that is away, starting, read-only after a failover, out of room, or a statement that somebody canceled. All else is about what is written: a row that
    // it cannot take, or a page that it cannot read. Tried again and again it would hold up everybody.
    private static bool Passes(NpgsqlException fault) => fault is not PostgresException { SqlState: PostgresErrorCodes.IoError }
        && (PassingFault.IsOutage(fault) || PassingFault.IsShortage(fault) || fault is PostgresException { SqlState: PostgresErrorCodes.QueryCanceled });

    private sealed class Pending(T item, long since)
    {
        public T Item { get; } = item;
        public long Since { get; } = since;
        public TaskCompletionSource<TResult> Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
