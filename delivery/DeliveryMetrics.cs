using System.Diagnostics.Metrics;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery;

/// <summary>What delivery measures, under the meter <c>MoxApi.Delivery</c>.</summary>
public sealed class DeliveryMetrics : IDisposable
{
    private readonly Counter<long> attempts;
    private readonly Histogram<double> duration;

    /// <summary>Makes the instruments.</summary>
    public DeliveryMetrics()
    {
        attempts = Meter.CreateCounter<long>("moxapi_delivery_attempts", description: "Attempts by outcome and failure class.");
        duration = Meter.CreateHistogram<double>("moxapi_delivery_duration", "s", "From a message's accept to the end of a recipient's delivery, by outcome.");
        Meter.CreateObservableGauge("moxapi_delivery_leased", () => Leased(), description: "Recipients in this node's hands.");
    }

    /// <summary>Its meter.</summary>
    public Meter Meter { get; } = new("MoxApi.Delivery");

    /// <summary>Counts the recipients in this node's hands.</summary>
    public Func<int> Leased { get; set; } = static () => 0;

    /// <summary>Counts a committed outcome.</summary>
    /// <param name="outcome">The outcome.</param>
    /// <param name="sinceAccept">The time since the message was accepted.</param>
    public void Count(Outcome outcome, TimeSpan sinceAccept)
    {
        var result = new KeyValuePair<string, object?>("outcome", Word(outcome.Attempt.Outcome.ToString()));
        attempts.Add(1, result, new("failure_class", Word(outcome.Attempt.FailureClass.ToString())));
        if (outcome.NextAttemptAt is null) duration.Record(sinceAccept.TotalSeconds, result);
    }

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();

    // As in the API: lower case, words joined by an underscore.
    private static string Word(string name) => System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(name);
}
