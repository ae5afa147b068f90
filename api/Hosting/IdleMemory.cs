namespace MoxApi.Api.Hosting;

/// <summary>
/// Gives memory back once after traffic has ended. The collector runs when memory is asked for, so what traffic left behind would stay until there is traffic again.
/// </summary>
internal sealed class IdleMemory(TimeProvider time) : BackgroundService
{
    // What is allocated in a minute in which nothing but the program's own upkeep goes on is a tenth of this.
    private const long Quiet = 32 << 20;
    private static readonly TimeSpan LookEvery = TimeSpan.FromMinutes(1);

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var (allocated, wasQuiet) = (GC.GetTotalAllocatedBytes(), false); ;)
        {
            await Task.Delay(LookEvery, time, stoppingToken);
            var now = GC.GetTotalAllocatedBytes();
            var isQuiet = now - allocated < Quiet;
            if (isQuiet && !wasQuiet) GC.Collect(GC.MaxGeneration, GCCollectionMode.Aggressive, blocking: true, compacting: true);
            (allocated, wasQuiet) = (now, isQuiet);
        }
    }
}
