using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A node that is told to stop.</summary>
public class GracefulStopTests(TestPostgres postgres)
{
    [Fact]
    public async Task Stopped_under_load_it_loses_nothing_and_nothing_is_delivered_twice()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink { BeforeAnswer = (_, _) => Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System) };
        installation.Deliver("example.net", sink.EndPoint);
        await using var leaves = await installation.StartNodeAsync("a");
        await using var stays = await installation.StartNodeAsync("b");
        MoxApiProcess? target = leaves;
        await using var load = new MailLoad(installation.ApiKey, () => target, () => target, () => stays);
        await load.AcknowledgedMoreAsync(100);

        var stopping = leaves.StopAsync("TERM");
        await load.AcknowledgedMoreAsync(20); // By the one that stays, at least.
        target = null;

        Assert.Equal(0, await stopping);
        await load.StopAsync();
        await installation.QueueIsEmptyAsync();
        Assert.DoesNotContain(load.Acknowledged, id => sink.Of(id).Accepts == 0);
        Assert.DoesNotContain(sink.Counts, seen => seen.Value.Dots > 1);
        Assert.Empty(await installation.InterruptionsAsync());
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_server_that_does_not_answer_the_final_dot_holds_up_the_stop_only_so_long_and_the_doubt_is_written_down()
    {
        var never = new TaskCompletionSource();
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink { BeforeAnswer = (_, dots) => dots == 1 ? never.Task : Task.CompletedTask };
        installation.Deliver("example.net", sink.EndPoint);
        await using (var node = await installation.StartNodeAsync("a", ("Delivery__StopWithin", "00:00:01")))
        {
            await installation.SendAsync(node, "<doubt@acme.example>");
            await Eventually.HoldsAsync(() => Task.FromResult(sink.Of("<doubt@acme.example>").Dots == 1), "the final dot");
            Assert.Equal(0, await node.StopAsync("TERM"));
        }

        await using var next = await installation.StartNodeAsync("a");
        await installation.QueueIsEmptyAsync();
        Assert.Equal(2, sink.Of("<doubt@acme.example>").Dots);
        Assert.Equal([AttemptOutcome.Interrupted, AttemptOutcome.Delivered], (await installation.AttemptsAsync("<doubt@acme.example>")).Select(a => a.Outcome));
        await installation.AssertBooksBalanceAsync();
    }
}
