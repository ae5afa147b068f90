using System.Net.Http.Json;
using System.Text.Json.Nodes;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A node that stands still for longer than its lease, such as a virtual machine that is moved, and then goes on.</summary>
public class LostLeaseTests(TestPostgres postgres)
{
    // No shorter, or a node on a busy machine would lose its lease without being stopped.
    private static readonly (string, string) Lease = ("Node__Lease", "00:00:05");

    [Fact]
    public async Task What_a_node_held_when_it_stood_still_is_delivered_by_another_and_its_late_outcome_is_refused()
    {
        var (lateAnswer, taken) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink { BeforeAnswer = (_, dots) => dots == 1 && taken.TrySetResult() ? lateAnswer.Task : Task.CompletedTask };
        installation.Deliver("example.net", sink.EndPoint);
        await using var still = await installation.StartNodeAsync("a", Lease);
        await using var other = await installation.StartNodeAsync("b", Lease);

        var id = await installation.SendAsync(still, "<held@acme.example>");
        await taken.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        await still.SignalAsync("STOP");
        await installation.QueueIsEmptyAsync();
        await still.SignalAsync("CONT");
        lateAnswer.SetResult();
        await sink.QuietAsync(); // A worker leaves when its outcomes have been decided.

        Assert.Equal(new Counted(2, 2), sink.Of("<held@acme.example>"));
        await AssertHistoryAsync(installation, other, id, "<held@acme.example>");
        await installation.AssertBooksBalanceAsync();

        // The node begins anew and is of use again.
        await installation.SendAsync(still, "<next@acme.example>");
        await installation.QueueIsEmptyAsync();
        Assert.Equal(new Counted(1, 1), sink.Of("<next@acme.example>"));
    }

    [Fact]
    public async Task An_answer_that_comes_while_another_node_holds_the_message_decides_nothing()
    {
        var (lateAnswer, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var installation = await Installation.CreateAsync(postgres);
        await using var server = new ScriptedSmtpServer()
            .On("body", ((Act)"554 5.6.0 Too late to count").After(lateAnswer.Task), ((Act)"250 2.0.0 Ok").After(answer.Task));
        installation.Deliver("example.net", server.EndPoint);
        await using var still = await installation.StartNodeAsync("a", Lease);
        await using var other = await installation.StartNodeAsync("b", Lease);

        var id = await installation.SendAsync(still, "<held@acme.example>");
        await HasDotsAsync(server, 1);
        await still.SignalAsync("STOP");
        await HasDotsAsync(server, 2);
        await still.SignalAsync("CONT");
        lateAnswer.SetResult();
        // The late one has its answer, has tried to write it down, and leaves, while the other still waits.
        await Eventually.HoldsAsync(() => Task.FromResult(server.Sessions[0].IsOver), "the end of the first session");
        await installation.CountIsAsync("SELECT count(*) FROM queue WHERE session_id IS NOT NULL", 1);
        answer.SetResult();
        await installation.QueueIsEmptyAsync();

        Assert.Contains("S: 554 5.6.0 Too late to count", server.Sessions[0].Transcript);
        await AssertHistoryAsync(installation, other, id, "<held@acme.example>");
        await installation.AssertBooksBalanceAsync();
    }

    private static Task HasDotsAsync(ScriptedSmtpServer server, int count) =>
        Eventually.HoldsAsync(() => Task.FromResult(server.Transcript.Count(l => l == "C: .") == count), $"final dot {count}");

    private static async Task AssertHistoryAsync(Installation installation, MoxApiProcess node, string id, string messageId)
    {
        Assert.Equal([AttemptOutcome.Interrupted, AttemptOutcome.Delivered], (await installation.AttemptsAsync(messageId)).Select(a => a.Outcome));
        using var client = node.Client(installation.ApiKey);
        var recipient = (await client.GetFromJsonAsync<JsonNode>($"/v1/messages/{id}"))!["recipients"]![0]!;
        Assert.Equal(("delivered", 2), ((string?)recipient["status"], (int?)recipient["attempts"]));
        var events = (await client.GetFromJsonAsync<JsonNode>($"/v1/messages/{id}/events"))!["data"]!.AsArray();
        Assert.Equal(["message.accepted", "message.delayed", "message.delivered"], events.OrderBy(e => (int)e!["data"]!["sequence"]!).Select(e => (string?)e!["type"]));
    }
}
