using System.Diagnostics.Metrics;
using System.Globalization;
using MoxApi.Mail.Smtp;

namespace MoxApi.Inbound.Smtp;

/// <summary>What the SMTP listeners measure, under the meter <c>MoxApi.Smtp</c>.</summary>
internal sealed class SmtpMetrics : IDisposable
{
    private readonly Meter meter = new("MoxApi.Smtp");
    private readonly Counter<long> connections;
    private readonly Counter<long> refusals;
    private int open;

    public SmtpMetrics()
    {
        connections = meter.CreateCounter<long>("moxapi_smtp_connections", description: "Connections of SMTP clients.");
        meter.CreateObservableGauge("moxapi_smtp_open_connections", () => open, description: "Connections of SMTP clients that are open.");
        Messages = meter.CreateCounter<long>("moxapi_smtp_messages", description: "Messages taken by SMTP, each committed.");
        refusals = meter.CreateCounter<long>("moxapi_smtp_refusals", description: "Replies of 4xx and 5xx by code.");
    }

    /// <summary>Messages taken.</summary>
    public Counter<long> Messages { get; }

    /// <summary>Counts a connection, as open until the answer is disposed of.</summary>
    public IDisposable Connected()
    {
        connections.Add(1);
        Interlocked.Increment(ref open);
        return new Connection(this);
    }

    /// <summary>Counts a reply, if it refuses.</summary>
    public void Replied(SmtpReply reply)
    {
        if (reply.Code >= 400) refusals.Add(1, new KeyValuePair<string, object?>("code", reply.Code.ToString(CultureInfo.InvariantCulture)));
    }

    public void Dispose() => meter.Dispose();

    private sealed class Connection(SmtpMetrics metrics) : IDisposable
    {
        public void Dispose() => Interlocked.Decrement(ref metrics.open);
    }
}
