using Hangfire;

namespace MoxApi.Migrations.Jobs;

/// <summary>The webhook role's jobs. Hangfire stores the names of type, method and parameters: they are part of the stored contract.</summary>
public interface IWebhookJobs
{
    /// <summary>Posts what is due until the node stops: the one resident job of the role on a node.</summary>
    /// <param name="node">The node it was enqueued for. On another node, or while one runs already, it ends at once.</param>
    /// <param name="stop">Hangfire's: the node stops.</param>
    [AutomaticRetry(Attempts = 0)] // Retries belong to our queue; the node enqueues the job again where it is missing.
    Task DrainWebhooks(string node, CancellationToken stop);
}
