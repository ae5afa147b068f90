using System.Diagnostics.Metrics;
using MoxApi.Migrations.Webhooks;
using MoxApi.Webhooks.Posting;

namespace MoxApi.Webhooks;

/// <summary>What the posting of events measures, under the meter <c>MoxApi.Webhooks</c>.</summary>
public sealed class WebhookMetrics : IDisposable
{
    private readonly Counter<long> posts;
    private readonly Histogram<double> duration;
    private readonly Counter<long> disabled;

    /// <summary>Makes the instruments.</summary>
    public WebhookMetrics()
    {
        posts = Meter.CreateCounter<long>("moxapi_webhook_posts", description: "Calls of endpoints by what became of the delivery and by the answer's class.");
        duration = Meter.CreateHistogram<double>("moxapi_webhook_duration", "s", "From the start of a call to the end of its answer, by what became of the delivery.");
        disabled = Meter.CreateCounter<long>("moxapi_webhook_disabled", description: "Endpoints that were disabled because they failed too long or answered 410.");
        Meter.CreateObservableGauge("moxapi_webhook_running", () => Running(), description: "Calls of endpoints under way.");
    }

    /// <summary>Its meter.</summary>
    public Meter Meter { get; } = new("MoxApi.Webhooks");

    /// <summary>Counts the calls under way.</summary>
    public Func<int> Running { get; set; } = static () => 0;

    /// <summary>Counts a call whose outcome is committed.</summary>
    /// <param name="call">The call.</param>
    /// <param name="status">What it made of the delivery.</param>
    public void Count(PostResult call, WebhookDeliveryStatus status)
    {
        // Words of the API: what is to be tried again is delayed.
        var outcome = new KeyValuePair<string, object?>("outcome", status switch
        {
            WebhookDeliveryStatus.Delivered => "delivered",
            WebhookDeliveryStatus.Failed => "failed",
            _ => "delayed",
        });
        posts.Add(1, outcome, new("answer", call.Status is { } code ? $"{code / 100}xx" : "none"));
        duration.Record(call.Duration.TotalSeconds, outcome);
    }

    /// <summary>Counts an endpoint that was disabled.</summary>
    public void CountDisabled() => disabled.Add(1);

    /// <inheritdoc/>
    public void Dispose() => Meter.Dispose();
}
