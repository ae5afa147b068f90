using System.Diagnostics;
using System.Net;
using System.Text.Json;
using MoxApi.Bench.Measuring;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>How long lists take, with each filter: from the first page on, each of which is asked for with the cursor of the one before.</summary>
internal sealed class ListTimes(Stage stage, MoxApiProcess node)
{
    private const string Name = "lists";

    /// <summary>Measures all lists.</summary>
    public async Task MeasureAsync(CancellationToken stop)
    {
        using var client = node.Client(stage.Installation.ApiKey);
        await MeasureAsync(client, "all", "", stop);
        await MeasureAsync(client, "status, of most", "&status=queued", stop);
        await MeasureAsync(client, "status, of none", "&status=quarantined", stop);
        await MeasureAsync(client, "tag, of most", "&tag=receipt", stop);
        await MeasureAsync(client, "tag, of few", $"&tag={WaitingMessages.RareTag}", stop);
        await MeasureAsync(client, "recipient, of few", $"&recipient={WaitingMessages.RareAddress}", stop);
        await MeasureAsync(client, "subject, of most", "&subject=receipt", stop);
        await MeasureAsync(client, "subject, of few", $"&subject={WaitingMessages.RareWord}", stop);
        await MessageAsync(client, stop);
    }

    private async Task MeasureAsync(HttpClient client, string what, string filter, CancellationToken stop)
    {
        var times = new List<double>();
        string? cursor = null;
        for (var page = 0; page < Pages; page++)
        {
            var start = Stopwatch.GetTimestamp();
            using var answer = await client.GetAsync(new Uri($"/v1/messages?limit=100{filter}{(cursor is null ? "" : $"&after={cursor}")}", UriKind.Relative), stop);
            var body = await answer.Content.ReadAsByteArrayAsync(stop);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            if (answer.StatusCode == HttpStatusCode.UnprocessableEntity)
            {
                stage.Site.Report.NotAvailable(Name, what, "the API has no such filter");
                return;
            }
            answer.EnsureSuccessStatusCode();
            using var list = JsonDocument.Parse(body);
            // From the start again when there is no more.
            cursor = list.RootElement.GetProperty("hasMore").GetBoolean() ? list.RootElement.GetProperty("next").GetString() : null;
        }
        stage.Site.Report.Add(Name, what, Figure.Times(times));
    }

    private async Task MessageAsync(HttpClient client, CancellationToken stop)
    {
        var list = await client.GetStringAsync(new Uri("/v1/messages?limit=100", UriKind.Relative), stop);
        using var messages = JsonDocument.Parse(list);
        var (details, events) = (new List<double>(), new List<double>());
        foreach (var id in messages.RootElement.GetProperty("data").EnumerateArray().Take(Pages).Select(message => message.GetProperty("id").GetString()))
        {
            details.Add(await TimeAsync(client, $"/v1/messages/{id}", stop));
            events.Add(await TimeAsync(client, $"/v1/messages/{id}/events", stop));
        }
        stage.Site.Report.Add(Name, "one message", Figure.Times(details));
        stage.Site.Report.Add(Name, "one message's events", Figure.Times(events));
    }

    private int Pages => stage.Site.Options.Quick ? 3 : 50;

    private static async Task<double> TimeAsync(HttpClient client, string path, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        await client.GetByteArrayAsync(new Uri(path, UriKind.Relative), stop);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
