using MoxApi.Migrations.Jobs;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>The node's resident webhook job, run by Hangfire.</summary>
public sealed class WebhookJobs(NodeSession session, WebhookDispatcher dispatcher) : IWebhookJobs
{
    private readonly ResidentGate gate = new();

    /// <summary>Whether the loop runs.</summary>
    public bool IsRunning => gate.IsTaken;

    /// <summary>The time since the loop last went round without a fault; it does so every few seconds at rest.</summary>
    public TimeSpan SinceLastRound => dispatcher.SinceLastRound;

    /// <inheritdoc/>
    public async Task DrainWebhooks(string node, CancellationToken stop)
    {
        if (node != session.Node || !gate.TryEnter()) return; // Left over from a node of another name, or a second one.
        try
        {
            await dispatcher.DrainAsync(stop);
        }
        finally
        {
            gate.Leave();
        }
    }
}
