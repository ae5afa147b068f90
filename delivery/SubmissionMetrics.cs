using System.Diagnostics.Metrics;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery;

/// <summary>What is measured of accepted messages, under the meter <c>MoxApi.Submission</c>.</summary>
public sealed class SubmissionMetrics : IDisposable
{
    private readonly Meter meter = new("MoxApi.Submission");
    private readonly Counter<long> messages;
    private readonly Counter<long> recipients;
    private readonly Counter<long> octets;

    /// <summary>Makes the instruments.</summary>
    public SubmissionMetrics()
    {
        messages = meter.CreateCounter<long>("moxapi_accepted_messages", description: "Messages accepted, each committed.");
        recipients = meter.CreateCounter<long>("moxapi_accepted_recipients", description: "Recipients of accepted messages.");
        octets = meter.CreateCounter<long>("moxapi_accepted", "By", "Octets of accepted messages.");
    }

    /// <summary>Counts a committed message.</summary>
    public void Accepted(Accept accept)
    {
        messages.Add(1);
        recipients.Add(accept.Recipients.Count);
        octets.Add(accept.Message.Size);
    }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();
}
