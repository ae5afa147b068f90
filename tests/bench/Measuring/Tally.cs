using System.Collections.Concurrent;
using System.Diagnostics;

namespace MoxApi.Bench.Measuring;

/// <summary>Counts what arrives, each by its key, and remembers when it came first.</summary>
internal sealed class Tally(int expected)
{
    // Long enough for a retry after a first wait of five seconds; a busy machine is slow, but not that slow.
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(45);

    private readonly ConcurrentDictionary<string, (int Count, long At)> seen = new(Environment.ProcessorCount, expected, StringComparer.Ordinal);
    private readonly Lock gate = new();
    private readonly List<(int Count, TaskCompletionSource Reached)> waiting = [];
    private int distinct;

    /// <summary>How many different ones came.</summary>
    public int Distinct => Volatile.Read(ref distinct);

    /// <summary>How many came more than once.</summary>
    public int Doubled => seen.Count(each => each.Value.Count > 1);

    /// <summary>When the last new one came.</summary>
    public long LastAt { get; private set; }

    /// <summary>One has arrived.</summary>
    public void Add(string key)
    {
        var now = Stopwatch.GetTimestamp();
        if (seen.AddOrUpdate(key, (1, now), (_, before) => (before.Count + 1, before.At)).Count > 1) return;
        lock (gate)
        {
            distinct++;
            LastAt = now;
            foreach (var (_, reached) in waiting.Where(each => each.Count <= distinct)) reached.TrySetResult();
            waiting.RemoveAll(each => each.Count <= distinct);
        }
    }

    /// <summary>How often one came.</summary>
    public int CountOf(string key) => seen.GetValueOrDefault(key).Count;

    /// <summary>When one came first, or null where it has not.</summary>
    public long? TimeOf(string key) => seen.TryGetValue(key, out var one) ? one.At : null;

    /// <summary>Waits until so many different ones have come.</summary>
    /// <returns>False where nothing has come any more for a long time.</returns>
    public async Task<bool> ReachesAsync(int count, CancellationToken stop)
    {
        var reached = WhenReached(count);
        while (!reached.IsCompleted)
        {
            var before = Distinct;
            if (await Task.WhenAny(reached, Task.Delay(Stall, TimeProvider.System, stop)) == reached) break;
            stop.ThrowIfCancellationRequested();
            if (Distinct == before) return false;
        }
        return true;
    }

    private Task WhenReached(int count)
    {
        lock (gate)
        {
            if (distinct >= count) return Task.CompletedTask;
            var reached = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            waiting.Add((count, reached));
            return reached.Task;
        }
    }
}
