using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A node that stands still for longer than its lease, such as a virtual machine that is moved, and then goes on.</summary>
[Collection(ProcessCollection.Name)]
public class LostLeaseTests(TestPostgres postgres)
{
    [Fact]
    public async Task What_a_node_held_when_it_stood_still_is_delivered_by_another_and_its_late_outcome_is_refused()
    {
        var (lateAnswer, taken) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink { BeforeAnswer = (_, dots) => dots == 1 && taken.TrySetResult() ? lateAnswer.Task : Task.CompletedTask };
        installation.Deliver("example.net", sink.EndPoint);
        var lease = ("Node__Lease", "00:00:03");
        await using var still = await installation.StartNodeAsync("a", lease);
        await using var other = await installation.StartNodeAsync("b", lease);

        await installation.SendAsync(still, "<held@acme.example>");
        await taken.Task.WaitAsync(Eventually.Patience);
        await still.SignalAsync("STOP");
        await installation.QueueIsEmptyAsync();
        await still.SignalAsync("CONT");
        lateAnswer.SetResult();
        await sink.QuietAsync(); // A worker leaves when its outcomes have been decided.

        Assert.Equal(2, sink.Of("<held@acme.example>").Dots);
        var attempts = await installation.AttemptsAsync("<held@acme.example>");
        Assert.Equal([AttemptOutcome.Interrupted, AttemptOutcome.Delivered], attempts.Select(a => a.Outcome));
        await installation.AssertBooksBalanceAsync();

        // The node begins anew and is of use again.
        await installation.SendAsync(still, "<next@acme.example>");
        await installation.QueueIsEmptyAsync();
        Assert.Equal(new Counted(1, 1), sink.Of("<next@acme.example>"));
    }
}
