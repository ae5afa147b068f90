using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A message that kills the node each time its final dot is sent.</summary>
public class DeadlyMessageTests(TestPostgres postgres)
{
    private const string Deadly = "<deadly@acme.example>";

    [Fact]
    public async Task After_the_third_death_it_is_quarantined_and_reported_and_all_other_mail_goes_on()
    {
        var dots = new SemaphoreSlim(0);
        await using var sink = new CountingSink { BeforeAnswer = (id, _) => id == Deadly && dots.Release() >= 0 ? Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System) : Task.CompletedTask };
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        installation.Settings["Delivery__SlowAfter"] = "00:00:00.2"; // The destination's first connection hangs: a second one is soon to be had.
        MoxApiProcess? node = await installation.StartNodeAsync("a");
        try
        {
            await using var watch = await EventWatch.StartAsync(installation, node);
            var id = await installation.SendAsync(node, Deadly);
            for (var death = 1; death <= Orphans.QuarantineAt; death++)
            {
                Assert.True(await dots.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken));
                await DeliversAsync(installation, node, sink, $"<beside-{death}@acme.example>");
                await node.KillAsync();
                await node.DisposeAsync();
                node = null;
                node = await installation.StartNodeAsync("a"); // Under its own name it need not wait for the lease.
            }
            await installation.QueueIsEmptyAsync();
            await DeliversAsync(installation, node, sink, "<after@acme.example>");

            Assert.Equal(new Counted(Orphans.QuarantineAt, 0), sink.Of(Deadly));
            var attempts = await installation.AttemptsAsync(Deadly);
            Assert.Equal([1, 2, 3], attempts.Select(a => a.Number));
            Assert.All(attempts, a => Assert.Equal(AttemptOutcome.Interrupted, a.Outcome));
            await AssertReportedAsync(installation, node, watch, id);
            var report = await installation.AssertBooksBalanceAsync();
            Assert.Equal((1, 4), (report.ByStatus[RecipientStatus.Quarantined], report.ByStatus[RecipientStatus.Delivered]));
        }
        finally
        {
            if (node is not null) await node.DisposeAsync();
        }
    }

    private static async Task AssertReportedAsync(Installation installation, MoxApiProcess node, EventWatch watch, string id)
    {
        using var client = node.Client(installation.ApiKey);
        var recipient = (await client.GetFromJsonAsync<JsonNode>($"/v1/messages/{id}"))!["recipients"]![0]!;
        Assert.Equal(("quarantined", 3), ((string?)recipient["status"], (int?)recipient["attempts"]));
        var events = (await client.GetFromJsonAsync<JsonNode>($"/v1/messages/{id}/events"))!["data"]!.AsArray();
        Assert.Equal(["message.accepted", "message.delayed", "message.delayed", "message.quarantined"], events.OrderBy(Sequence).Select(Type));
        await watch.AssertAllPostedAsync();
        var posted = watch.Posted.Where(e => (string?)e["data"]!["message"]!["id"] == id).DistinctBy(Sequence).OrderBy(Sequence).ToList();
        Assert.Equal(events.OrderBy(Sequence).Select(Type), posted.Select(Type));
        Assert.Equal("quarantined", (string?)posted[^1]["data"]!["recipient"]!["status"]);
    }

    private static async Task DeliversAsync(Installation installation, MoxApiProcess node, CountingSink sink, string messageId)
    {
        await installation.SendAsync(node, messageId);
        await Eventually.HoldsAsync(async () => (await installation.AttemptsAsync(messageId)).Any(a => a.Outcome == AttemptOutcome.Delivered), messageId);
        Assert.Equal(new Counted(1, 1), sink.Of(messageId));
    }

    private static string? Type(JsonNode? e) => (string?)e!["type"];

    private static int Sequence(JsonNode? e) => (int)e!["data"]!["sequence"]!;
}
