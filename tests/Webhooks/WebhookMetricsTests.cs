using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using MoxApi.Migrations.Webhooks;
using MoxApi.Webhooks;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public sealed class WebhookMetricsTests : IDisposable
{
    private readonly WebhookMetrics metrics = new();
    private readonly MeterListener listener = new();
    private readonly ConcurrentBag<string> measured = [];

    public WebhookMetricsTests()
    {
        // Other tests run meters of the same name.
        listener.InstrumentPublished = (instrument, mine) =>
        {
            if (ReferenceEquals(instrument.Meter, metrics.Meter)) mine.EnableMeasurementEvents(instrument);
        };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<double>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.SetMeasurementEventCallback<int>((instrument, value, tags, _) => Note(instrument, value, tags));
        listener.Start();
    }

    public void Dispose()
    {
        listener.Dispose();
        metrics.Dispose();
    }

    [Fact]
    public void Calls_count_by_what_became_of_the_delivery_and_by_the_answer()
    {
        metrics.Running = () => 3;

        metrics.Count(new(204, null, TimeSpan.FromSeconds(0.5)), WebhookDeliveryStatus.Delivered);
        metrics.Count(new(503, "x", TimeSpan.FromSeconds(1)), WebhookDeliveryStatus.Pending);
        metrics.Count(new(null, "x", TimeSpan.FromSeconds(15)), WebhookDeliveryStatus.Failed);
        metrics.CountDisabled();
        listener.RecordObservableInstruments();

        Assert.Equal(
        [
            "moxapi_webhook_disabled 1",
            "moxapi_webhook_duration 0.5 outcome=delivered",
            "moxapi_webhook_duration 1 outcome=delayed",
            "moxapi_webhook_duration 15 outcome=failed",
            "moxapi_webhook_posts 1 outcome=delayed answer=5xx",
            "moxapi_webhook_posts 1 outcome=delivered answer=2xx",
            "moxapi_webhook_posts 1 outcome=failed answer=none",
            "moxapi_webhook_running 3",
        ], measured.Order(StringComparer.Ordinal));
    }

    private void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => measured.Add(string.Join(
        ' ', [FormattableString.Invariant($"{instrument.Name} {value}"), .. tags.ToArray().Select(t => $"{t.Key}={t.Value}")]));
}
