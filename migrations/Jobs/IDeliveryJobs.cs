using Hangfire;

namespace MoxApi.Migrations.Jobs;

/// <summary>The resident delivery job. Hangfire stores these names: renaming them strands jobs.</summary>
public interface IDeliveryJobs
{
    /// <summary>Delivers until it is stopped; returns at once on another node, or when it already runs.</summary>
    [AutomaticRetry(Attempts = 0)]
    Task DrainDelivery(string node, CancellationToken stop);
}
