using System.Diagnostics.Metrics;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Api.Health;

/// <summary>The node's own measurements that belong to no room.</summary>
internal sealed class NodeMetrics : IDisposable
{
    private readonly Meter meter = new("MoxApi.Node");
    private readonly Counter<long> deleted;

    public NodeMetrics(NodeSession session, MoxApi.Migrations.Writing.BytesInFlight inFlight)
    {
        meter.CreateObservableGauge("moxapi_book_faults", () => BookFaults, description: "Faults found at the last check of the books; 0 when they balance.");
        meter.CreateObservableGauge("moxapi_book_check_duration", () => BookCheck.TotalSeconds, "s", "How long the last check of the books took.");
        meter.CreateObservableGauge("moxapi_session_safe", () => session.IsSafe ? 1 : 0, description: "Whether the node's lease was renewed in time.");
        meter.CreateObservableGauge("moxapi_in_flight", () => inFlight.Taken, "By", "Octets of messages on their way in, up to Node:MaxBytesInFlight.");
        deleted = meter.CreateCounter<long>("moxapi_retention_deleted", description: "What retention deleted, by kind.");
    }

    /// <summary>Faults found at the last check of the books.</summary>
    public int BookFaults { get; set; }

    /// <summary>How long it took.</summary>
    public TimeSpan BookCheck { get; set; }

    /// <summary>Counts what retention deleted.</summary>
    public void Deleted(string kind, int count) => deleted.Add(count, new KeyValuePair<string, object?>("kind", kind));

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();
}
