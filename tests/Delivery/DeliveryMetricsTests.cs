using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using MoxApi.Delivery;
using MoxApi.Migrations.Messages;
using Xunit;

namespace MoxApi.Tests.Delivery;

public sealed class DeliveryMetricsTests : IDisposable
{
    private readonly DeliveryMetrics metrics = new();
    private readonly MeterListener listener = new();
    private readonly ConcurrentBag<string> measured = [];

    public DeliveryMetricsTests()
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
    public void Attempts_count_by_outcome_and_class_and_the_end_has_its_time()
    {
        metrics.Leased = () => 7;

        metrics.Count(Outcome(AttemptOutcome.Delayed, FailureClass.MailboxFull, DateTimeOffset.UnixEpoch), TimeSpan.FromSeconds(1));
        metrics.Count(Outcome(AttemptOutcome.Delivered, FailureClass.None, null), TimeSpan.FromSeconds(2.5));
        listener.RecordObservableInstruments();

        Assert.Equal(
        [
            "moxapi_delivery_attempts 1 outcome=delayed failure_class=mailbox_full",
            "moxapi_delivery_attempts 1 outcome=delivered failure_class=none",
            "moxapi_delivery_duration 2.5 outcome=delivered",
            "moxapi_delivery_leased 7",
        ], measured.Order(StringComparer.Ordinal));
    }

    private static Outcome Outcome(AttemptOutcome outcome, FailureClass failure, DateTimeOffset? next) => new(
        1, new Attempt { Reply = "", Conversation = "[]", Outcome = outcome, FailureClass = failure }, 1, RecipientStatus.Delivered, next);

    private void Note<T>(Instrument instrument, T value, ReadOnlySpan<KeyValuePair<string, object?>> tags) => measured.Add(string.Join(
        ' ', [FormattableString.Invariant($"{instrument.Name} {value}"), .. tags.ToArray().Select(t => $"{t.Key}={t.Value}")]));
}
