using MoxApi.Delivery.Queue;
using MoxApi.Migrations.Jobs;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Delivery;

/// <summary>The node's resident delivery job, run by Hangfire.</summary>
public sealed class DeliveryJobs : IDeliveryJobs
{
    private readonly ResidentGate gate = new();
    private readonly DeliveryLoop loop;
    private readonly NodeSession session;

    internal DeliveryJobs(DeliveryLoop loop, NodeSession session) => (this.loop, this.session) = (loop, session);

    /// <summary>Whether the loop runs.</summary>
    public bool IsRunning => gate.IsTaken;

    /// <summary>The time since the loop last went round without a fault; it does so every few seconds at rest.</summary>
    public TimeSpan SinceLastRound => loop.SinceLastRound;

    /// <inheritdoc/>
    public async Task DrainDelivery(string node, CancellationToken stop)
    {
        // Left over from a node of another name, or a second one: Hangfire may start a job again that it takes for dead.
        if (node != session.Node || !gate.TryEnter()) return;
        try
        {
            await loop.DrainAsync(stop);
        }
        finally
        {
            gate.Leave();
        }
    }
}
