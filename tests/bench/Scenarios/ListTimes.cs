using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using MoxApi.Bench.Measuring;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>How long lists take, with each filter: from the first page on, each of which is asked for with the cursor of the one before.</summary>
internal sealed class ListTimes(Stage stage, MoxApiProcess node, string webhook)
{
    private const string Name = "lists";

    /// <summary>Measures all lists.</summary>
    public async Task MeasureAsync(CancellationToken stop)
    {
        using var client = node.Client(stage.Installation.ApiKey);
        foreach (var (what, list) in Lists()) await MeasureAsync(client, what, list, stop);
        await MessageAsync(client, stop);
    }

    private IEnumerable<(string What, string List)> Lists()
    {
        const string Messages = "/v1/messages?limit=100";
        yield return ("messages", Messages);
        yield return ("messages, counted", Messages + "&count=true");
        yield return ("messages, status of most", Messages + "&status=queued");
        yield return ("messages, status of none", Messages + "&status=quarantined");
        yield return ("messages, tag of most", Messages + "&tag=receipt");
        yield return ("messages, tag of few", $"{Messages}&tag={WaitingMessages.RareTag}");
        yield return ("messages, tag of none", Messages + "&tag=nothing");
        yield return ("messages, recipient of few", $"{Messages}&recipient={WaitingMessages.RareAddress}");
        yield return ("messages, counted, subject of most", Messages + "&subject=receipt&count=true");
        yield return ("messages, in hand (of none)", Messages + "&status=delivering");
        yield return ("messages, recipient and status", $"{Messages}&recipient={WaitingMessages.RareAddress}&status=queued");
        yield return ("messages, recipient of none", Messages + "&recipient=nobody@bench.example");
        yield return ("messages, subject of most", Messages + "&subject=receipt");
        yield return ("messages, subject of few", $"{Messages}&subject={WaitingMessages.RareWord}");
        yield return ("messages, subject of none", Messages + "&subject=nothing");
        yield return ("messages, two filters", $"{Messages}&subject={WaitingMessages.RareWord}&tag={WaitingMessages.RareTag}");
        yield return ("messages, of an old minute", $"{Messages}&acceptedFrom={Ago(600)}&acceptedTo={Ago(599)}");

        var deliveries = $"/v1/webhooks/{webhook}/deliveries?limit=100";
        yield return ("deliveries", deliveries);
        yield return ("deliveries, status of few", deliveries + "&status=failed");
        yield return ("deliveries, status of none", deliveries + "&status=pending");
        yield return ("deliveries, type of none", deliveries + "&type=message.failed");
        yield return ("deliveries, of an old minute (of none so near)", $"{deliveries}&since={Ago(600)}&until={Ago(599)}");

        yield return ("suppressions", "/v1/suppressions?limit=100");
        yield return ("suppressions, reason of few", "/v1/suppressions?limit=100&reason=complaint");
        yield return ("suppressions, reason of none", "/v1/suppressions?limit=100&reason=unsubscribe");
        yield return ("received", "/v1/received?limit=100");
    }

    private async Task MeasureAsync(HttpClient client, string what, string list, CancellationToken stop)
    {
        var times = new List<double>();
        var found = 0;
        string? cursor = null;
        for (var page = 0; page < Pages; page++)
        {
            var start = Stopwatch.GetTimestamp();
            var answer = await client.GetFromJsonAsync<JsonElement>(cursor is null ? list : $"{list}&after={cursor}", stop);
            times.Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
            found += answer.GetProperty("data").GetArrayLength();
            // From the start again when there is no more.
            cursor = answer.GetProperty("hasMore").GetBoolean() ? answer.GetProperty("next").GetString() : null;
        }
        stage.Site.Report.Add(Name, what, [.. Figure.Times(times), new("found", found)]);
        if (found == 0 && !what.Contains("of none", StringComparison.Ordinal) && !stage.Site.Options.Quick) stage.Site.Report.Fault($"lists, {what}: nothing was found.");
    }

    private async Task MessageAsync(HttpClient client, CancellationToken stop)
    {
        var messages = await client.GetFromJsonAsync<JsonElement>("/v1/messages?limit=100", stop);
        var (details, events) = (new List<double>(), new List<double>());
        foreach (var id in messages.GetProperty("data").EnumerateArray().Take(Pages).Select(message => message.GetProperty("id").GetString()))
        {
            details.Add(await TimeAsync(client, $"/v1/messages/{id}", stop));
            events.Add(await TimeAsync(client, $"/v1/messages/{id}/events", stop));
        }
        stage.Site.Report.Add(Name, "one message", Figure.Times(details));
        stage.Site.Report.Add(Name, "one message's events", Figure.Times(events));
    }

    private int Pages => stage.Site.Options.Quick ? 3 : 50;

    private static string Ago(int minutes) => TimeProvider.System.GetUtcNow().AddMinutes(-minutes).ToString("yyyy-MM-ddTHH:mm:ssZ", CultureInfo.InvariantCulture);

    private static async Task<double> TimeAsync(HttpClient client, string path, CancellationToken stop)
    {
        var start = Stopwatch.GetTimestamp();
        await client.GetByteArrayAsync(new Uri(path, UriKind.Relative), stop);
        return Stopwatch.GetElapsedTime(start).TotalMilliseconds;
    }
}
