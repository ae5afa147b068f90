using System.Diagnostics;
using System.Net.Http.Json;
using MoxApi.Bench.Loading;
using MoxApi.Bench.Measuring;
using MoxApi.Bench.Peers;
using MoxApi.Migrations.Nodes;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>
/// Webhooks per second. Messages of a thousand recipients each, accepted and not delivered, make events (<c>message.accepted</c>) faster than they
/// can be posted, so that what is measured is the posting.
/// </summary>
internal static class WebhooksBench
{
    private const string Name = "webhooks";

    private static readonly string[] Alone = ["at once", "after 50 ms"];

    public static async Task RunAsync(BenchSite site, CancellationToken stop)
    {
        await using var stage = await site.OpenStageAsync();
        await using (var node = await stage.StartNodeAsync(Roles.Api, Roles.Webhooks, Roles.Migrate))
        {
            await MeasureAsync(stage, node, null, WebhookSink.Fast, site.Options.Count(usual: 2_000, quick: 20), stop);
            for (var round = 0; round < site.Options.Rounds; round++)
            {
                await MeasureAsync(stage, node, Alone[0], WebhookSink.Fast, site.Options.Count(usual: 10_000, quick: 100), stop);
                await MeasureAsync(stage, node, Alone[1], WebhookSink.Slow, site.Options.Count(usual: 4_000, quick: 40), stop);
                await BesideDeadAsync(stage, node, stop);
            }
            await stage.CheckBooksAsync(stop);
        }
    }

    private static async Task BesideDeadAsync(Stage stage, MoxApiProcess node, CancellationToken stop)
    {
        var count = stage.Site.Options.Count(usual: 10_000, quick: 100);
        await using var dead = await stage.RegisterAsync(node, stage.Site.Webhooks.Add(WebhookSink.Dead, count), "message.accepted");
        await MeasureAsync(stage, node, $"{Alone[0]}, beside a dead endpoint", WebhookSink.Fast, count, stop);
    }

    private static async Task MeasureAsync(Stage stage, MoxApiProcess node, string? what, string kind, int count, CancellationToken stop)
    {
        var endpoint = stage.Site.Webhooks.Add(kind, count);
        await using var registered = await stage.RegisterAsync(node, endpoint, "message.accepted");
        var meter = stage.Measure(node);
        var start = Stopwatch.GetTimestamp();
        await AcceptAsync(stage, node, count, stop);
        await endpoint.Events.ReachesAsync(count, stop);
        if (what is not null) stage.Site.Report.Add(Name, what, [Figure.Rate(endpoint.Events.Distinct, Stopwatch.GetElapsedTime(start, endpoint.Events.LastAt)), .. meter.Read(count)]);
        if (endpoint.Events.Distinct != count) stage.Site.Report.Fault($"webhooks, {what}: {endpoint.Events.Distinct} events arrived in place of {count}.");
        if (endpoint.Events.Doubled > 0) stage.Site.Report.Fault($"webhooks, {what}: {endpoint.Events.Doubled} events arrived more than once.");
    }

    private static async Task AcceptAsync(Stage stage, MoxApiProcess node, int recipients, CancellationToken stop)
    {
        const int Most = 1000;
        using var client = node.Client(stage.Installation.ApiKey);
        for (var from = 0; from < recipients; from += Most)
        {
            var to = Enumerable.Range(from, Math.Min(Most, recipients - from)).Select(n => $"u{n}@{Messages.Domain(n % stage.Site.Options.Domains)}");
            using var answer = await client.PostAsJsonAsync("/v1/messages", new { bcc = to, subject = "Many", text = "Hello." }, stop);
            answer.EnsureSuccessStatusCode();
        }
    }
}
