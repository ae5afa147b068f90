using MoxApi.Migrations.Jobs;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>Runs the dispatcher as this node's resident job, so that Hangfire shows it and stops it.</summary>
public sealed class WebhookJobs(NodeSession session, WebhookDispatcher dispatcher) : IWebhookJobs
{
    /// <inheritdoc/>
    public async Task DrainWebhooks(string node, CancellationToken stop)
    {
        if (node != session.Node || !dispatcher.Gate.TryEnter()) return; // A stale job, or a second one.
        using (dispatcher.Gate) await dispatcher.DrainAsync(stop);
    }
}
