using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using MoxApi.Bench.Measuring;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>How long operations take that change one row, and up to a thousand. What they change, they have sent themselves, but for webhook deliveries.</summary>
internal sealed class OperationTimes(Stage stage, MoxApiProcess node, string webhook) : IDisposable
{
    private const string Name = "operations";

    private readonly HttpClient client = node.Client(stage.Installation.ApiKey);
    private readonly DateTimeOffset start = TimeProvider.System.GetUtcNow();

    /// <summary>Measures them; all that they send is canceled.</summary>
    public async Task MeasureAsync(CancellationToken stop)
    {
        var (few, many) = stage.Site.Options.Quick ? (2, 2) : (20, 50);
        await ScheduledAsync("1 recipient", recipients: 1, times: many, stop);
        await ScheduledAsync("1,000 recipients", recipients: 1000, times: few, stop);
        await TimesAsync("suppress", many, n => PostAsync("/v1/suppressions", new { address = Address(n) }, stop));
        await TimesAsync("unsuppress", many, n => client.DeleteAsync(new Uri($"/v1/suppressions/{Address(n)}", UriKind.Relative), stop));
        await DomainAsync(few, stop);
        await EraseAsync(many, stop);
        await ReplayAsync(many, stop);
    }

    public void Dispose() => client.Dispose();

    private async Task ScheduledAsync(string what, int recipients, int times, CancellationToken stop)
    {
        var ids = new List<string>();
        await TimesAsync($"send to {what}", times, async n =>
        {
            var answer = await PostAsync("/v1/messages", Scheduled(Enumerable.Range(0, recipients).Select(Address)), stop);
            ids.Add((await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("id").GetString()!);
            return answer;
        });
        await TimesAsync($"reschedule {what}", times, n => client.PatchAsJsonAsync($"/v1/messages/{ids[n]}", new { sendAt = start.AddDays(2) }, stop));
        await TimesAsync($"cancel {what}", times, n => PostAsync($"/v1/messages/{ids[n]}/cancel", body: null, stop));
    }

    // From which nothing was sent, while the account has a million messages of another.
    private async Task DomainAsync(int times, CancellationToken stop)
    {
        using var made = await PostAsync("/v1/domains", new { name = "other.example" }, stop);
        var domain = $"/v1/domains/{(await made.EnsureSuccessStatusCode().Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("id").GetString()}";
        await TimesAsync("suspend a domain", times, _ => PostAsync(domain + "/suspend", body: null, stop));
        await TimesAsync("resume a domain", times, _ => PostAsync(domain + "/resume", body: null, stop));
        await TimesAsync("delete a domain", 1, _ => client.DeleteAsync(new Uri(domain, UriKind.Relative), stop));
    }

    private async Task EraseAsync(int times, CancellationToken stop)
    {
        // Not those above, of whom each has had messages to a thousand.
        for (var n = 0; n < times; n++) (await PostAsync("/v1/messages", Scheduled(["gone." + Address(n)]), stop)).EnsureSuccessStatusCode().Dispose();
        await TimesAsync("erase a recipient", times, n => PostAsync("/v1/recipients/erase", new { address = "gone." + Address(n) }, stop));
    }

    // Each goes further back than the one before.
    private async Task ReplayAsync(int times, CancellationToken stop)
    {
        var newest = await client.GetFromJsonAsync<JsonElement>($"/v1/webhooks/{webhook}/deliveries?limit=100", stop);
        string[] ids = [.. newest.GetProperty("data").EnumerateArray().Select(delivery => delivery.GetProperty("id").GetString()!).Take(times)];
        await TimesAsync("replay a delivery", ids.Length, n => PostAsync($"/v1/webhooks/{webhook}/deliveries/{ids[n]}/replay", body: null, stop));
        var next = WaitingMessages.Apart * FullLists.Failing;
        var replayed = 0;
        var posted = () => stage.Installation.CountIsAsync("SELECT count(*) FROM webhook_queue", 0);
        await TimesAsync("replay 1,000 deliveries", 4, async n =>
        {
            var answer = await PostAsync($"/v1/webhooks/{webhook}/replay", new { since = start - ((n + 1) * next) }, stop);
            replayed += (await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("count").GetInt32();
            return answer;
        }, before: posted);
        await posted();
        // Where all that was delivered before is among them, one has the failures of two times.
        if (replayed < 4 * FullLists.Failed && !stage.Site.Options.Quick) stage.Site.Report.Fault($"operations: {replayed} deliveries were replayed for {4 * FullLists.Failed}.");
    }

    private async Task TimesAsync(string what, int times, Func<int, Task<HttpResponseMessage>> operation, Func<Task>? before = null)
    {
        var milliseconds = new List<double>();
        for (var n = 0; n < times; n++)
        {
            if (before is not null) await before();
            var from = Stopwatch.GetTimestamp();
            using var answer = await operation(n);
            milliseconds.Add(Stopwatch.GetElapsedTime(from).TotalMilliseconds);
            answer.EnsureSuccessStatusCode();
        }
        stage.Site.Report.Add(Name, what, Figure.Times(milliseconds));
    }

    private Task<HttpResponseMessage> PostAsync(string path, object? body, CancellationToken stop) =>
        body is null ? client.PostAsync(new Uri(path, UriKind.Relative), content: null, stop) : client.PostAsJsonAsync(path, body, stop);

    private object Scheduled(IEnumerable<string> to) => new { from = "receipts@acme.example", bcc = to, subject = "For later", text = "It is not sent.", sendAt = start.AddDays(1) };

    private static string Address(int n) => string.Create(CultureInfo.InvariantCulture, $"later{n}@w{n % 1000:0000}.bench.example");
}
