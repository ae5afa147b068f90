using System.Diagnostics.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api.Health;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Migrations;
using Xunit;

namespace MoxApi.Tests.Api.Health;

public class StoredGaugesTests(TestPostgres postgres)
{
    [Fact]
    public async Task The_queue_is_counted_by_state_every_thirty_seconds_at_most()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        var mail = new StoredMail(installation);
        var account = await mail.CountAsync("SELECT id FROM account");
        var now = TimeProvider.System.GetUtcNow();
        await mail.MessageAsync(account, now.AddMinutes(-1), statuses: [RecipientStatus.Queued, RecipientStatus.Queued, RecipientStatus.Held, RecipientStatus.Delivered, RecipientStatus.Quarantined]);
        await mail.MessageAsync(account, now.AddHours(1), statuses: RecipientStatus.Scheduled);
        await mail.AccountAsync("paused", a => a.PausedAt = now);
        var time = new FakeTimeProvider();
        using var gauges = new StoredGauges(mail.Database, time, NullLogger<StoredGauges>.Instance);

        await Eventually.HoldsAsync(() => Task.FromResult(Read().Count > 0), "the first count");
        var read = Read();
        Assert.Equal((2, 1, 0, 1), (read["moxapi_queue_recipients due"], read["moxapi_queue_recipients later"], read["moxapi_queue_recipients leased"], read["moxapi_queue_recipients held"]));
        Assert.Equal((1, 1, 0), (read["moxapi_quarantined_recipients "], read["moxapi_accounts_stopped paused"], read["moxapi_accounts_stopped deleted"]));

        await mail.ExecuteAsync("DELETE FROM queue");
        Assert.Equal(2, Read()["moxapi_queue_recipients due"]);
        time.Advance(TimeSpan.FromSeconds(31));
        await Eventually.HoldsAsync(() => Task.FromResult(Read()["moxapi_queue_recipients due"] == 0), "the next count");
    }

    // What a scrape would see. Other tests make no such gauges in this process.
    private static Dictionary<string, long> Read()
    {
        var read = new Dictionary<string, long>();
        using var listener = new MeterListener { InstrumentPublished = (instrument, to) => to.EnableMeasurementEvents(instrument) };
        listener.SetMeasurementEventCallback<long>((instrument, value, tags, _) =>
        {
            if (instrument.Meter.Name == "MoxApi.Stored") read[$"{instrument.Name} {(tags.Length > 0 ? tags[0].Value : "")}"] = value;
        });
        listener.Start();
        listener.RecordObservableInstruments();
        return read;
    }
}
