using System.Collections.Concurrent;
using System.Diagnostics;

namespace MoxApi.Bench.Loading;

/// <summary>A connection that sends one message after the other.</summary>
internal interface ILoadConnection : IAsyncDisposable
{
    /// <summary>Sends a message and waits for the answer.</summary>
    /// <returns>What was answered in place of acceptance, or null.</returns>
    ValueTask<string?> SendAsync(int number, CancellationToken stop);
}

/// <summary>What a load did.</summary>
/// <param name="First">The number of the first message.</param>
/// <param name="SentAt">When each message was sent, or was to be sent where there was a pace.</param>
/// <param name="AnsweredAt">When each was answered.</param>
/// <param name="Refusals">Answers that were none of acceptance, by how often they came.</param>
internal sealed record LoadResult(int First, long[] SentAt, long[] AnsweredAt, IReadOnlyDictionary<string, int> Refusals)
{
    /// <summary>From the first message to the last answer.</summary>
    public TimeSpan Elapsed => Stopwatch.GetElapsedTime(SentAt.Min(), AnsweredAt.Max());

    /// <summary>How long each answer took, in milliseconds.</summary>
    public double[] Milliseconds() => [.. SentAt.Zip(AnsweredAt, (sent, answered) => Stopwatch.GetElapsedTime(sent, answered).TotalMilliseconds)];
}

/// <summary>Sends messages over some connections, each of which takes the next number when it is free.</summary>
internal static class Load
{
    /// <summary>Sends them all.</summary>
    /// <param name="first">The number of the first message.</param>
    /// <param name="count">How many.</param>
    /// <param name="connections">Over how many connections, which are opened before the first message is sent.</param>
    /// <param name="open">Opens one.</param>
    /// <param name="stop">Gives up.</param>
    /// <param name="perSecond">
    /// An even pace. What waits for a free connection counts as sent when it should have been, so that a slow answer is not hidden by the fewer
    /// messages that follow it.
    /// </param>
    /// <param name="settle">Runs on a connection after each answer, with how many messages were answered on it.</param>
    public static async Task<LoadResult> RunAsync(
        int first, int count, int connections, Func<CancellationToken, Task<ILoadConnection>> open, CancellationToken stop, double? perSecond = null,
        Func<int, Task>? settle = null)
    {
        var (sent, answered) = (new long[count], new long[count]);
        var refusals = new ConcurrentDictionary<string, int>();
        var opened = await Task.WhenAll(Enumerable.Range(0, Math.Min(connections, count)).Select(_ => open(stop)));
        var next = -1;
        var start = Stopwatch.GetTimestamp();
        try
        {
            await Task.WhenAll(opened.Select(connection => Task.Run(() => WorkAsync(connection), stop)));
        }
        finally
        {
            foreach (var connection in opened) await connection.DisposeAsync();
        }
        return new(first, sent, answered, refusals);

        async Task WorkAsync(ILoadConnection connection)
        {
            for (var done = 1; Interlocked.Increment(ref next) is var mine && mine < count; done++)
            {
                sent[mine] = perSecond is { } pace ? await DueAsync(start + (long)(mine / pace * Stopwatch.Frequency), stop) : Stopwatch.GetTimestamp();
                if (await connection.SendAsync(first + mine, stop) is { } refusal) refusals.AddOrUpdate(refusal, 1, (_, before) => before + 1);
                answered[mine] = Stopwatch.GetTimestamp();
                if (settle is not null) await settle(done);
            }
        }
    }

    private static async ValueTask<long> DueAsync(long due, CancellationToken stop)
    {
        var now = Stopwatch.GetTimestamp();
        if (due > now) await Task.Delay(Stopwatch.GetElapsedTime(now, due), TimeProvider.System, stop);
        return due;
    }
}
