using Hangfire;
using MoxApi.Api.Health;
using MoxApi.Migrations.Pausing;
using MoxApi.Migrations.Retention;

namespace MoxApi.Api.Jobs;

/// <summary>What keeps an installation in order by itself, done by any node.</summary>
internal sealed class Upkeep(PauseWatch pauses, RetentionRun retention, NodeMetrics metrics)
{
    /// <summary>Pauses accounts whose mail bounces or is complained about too much.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task PauseAccounts(CancellationToken stop) => pauses.RunAsync(stop);

    /// <summary>Deletes what is older than it is kept.</summary>
    [AutomaticRetry(Attempts = 0)]
    public Task DeleteOld(CancellationToken stop) => retention.RunAsync(metrics.Deleted, stop);

    /// <summary>Deletes bodies that belong to no message.</summary>
    [AutomaticRetry(Attempts = 0)]
    public async Task SweepBodies(CancellationToken stop) => metrics.Deleted("body", await retention.SweepBodiesAsync(stop));
}
