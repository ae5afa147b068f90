using MoxApi.Migrations.Retention;
using Npgsql;

namespace MoxApi.Bench.Scenarios;

/// <summary>
/// Deletes what has been finished for two minutes, over and over: what else takes days to show shows in minutes. It is the program's own retention, with a
/// clock that is late.
/// </summary>
internal sealed class ShortHistory : IAsyncDisposable
{
    private static readonly TimeSpan Age = TimeSpan.FromMinutes(2);
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(15);

    private readonly CancellationTokenSource stopping;
    private readonly Task running;

    private ShortHistory(NpgsqlDataSource database, CancellationToken stop)
    {
        stopping = CancellationTokenSource.CreateLinkedTokenSource(stop);
        running = RunAsync(new RetentionRun(database, new() { ContentDays = 0, MessageDays = 0, WebhookDays = 0 }, new LateClock()), stopping.Token);
    }

    /// <summary>Begins.</summary>
    public static Task<IAsyncDisposable> StartAsync(NpgsqlDataSource database, CancellationToken stop) => Task.FromResult<IAsyncDisposable>(new ShortHistory(database, stop));

    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        await running.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ContinueOnCapturedContext);
        if (running.IsFaulted) await running;
        stopping.Dispose();
    }

    private static async Task RunAsync(RetentionRun retention, CancellationToken stop)
    {
        while (true)
        {
            await retention.RunAsync((_, _) => { }, stop);
            await Task.Delay(Pause, TimeProvider.System, stop);
        }
    }

    private sealed class LateClock : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() - Age;
    }
}
