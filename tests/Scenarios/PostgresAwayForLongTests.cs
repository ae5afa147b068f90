using System.Text.RegularExpressions;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>
/// PostgreSQL is killed, and for longer than a lease nobody reaches it: it comes back behind a network that is cut. What a node holds meanwhile may
/// belong to somebody else.
/// </summary>
public sealed partial class PostgresAwayForLongTests : IAsyncLifetime
{
    private static readonly TimeSpan Lease = TimeSpan.FromSeconds(3);

    private readonly TemporaryFolder folder = new();
    private KillablePostgres postgres = null!;
    private PostgresProxy proxy = null!;
    private Installation installation = null!;

    public async ValueTask InitializeAsync()
    {
        postgres = await KillablePostgres.StartAsync(folder.FullName);
        proxy = new PostgresProxy(postgres.ConnectionString);
        installation = await Installation.CreateAsync(postgres.ConnectionString);
        installation.Settings["Database__ConnectionString"] = proxy.ConnectionString;
        installation.Settings["Node__Lease"] = $"{Lease}";
        installation.Settings["Listeners__Metrics__0"] = "127.0.0.1:0"; // No key can be looked up while it is away.
    }

    public async ValueTask DisposeAsync()
    {
        await installation.DisposeAsync();
        await proxy.DisposeAsync();
        await postgres.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task In_the_middle_of_a_message_no_final_dot_is_sent_and_the_message_arrives_once_after_the_return()
    {
        var goAhead = new TaskCompletionSource();
        await using var server = new ScriptedSmtpServer().On("data", ((Act)"354 Go on").After(goAhead.Task));
        installation.Deliver("example.net", server.EndPoint);
        await using var node = await installation.StartNodeAsync("a");
        await installation.SendAsync(node, "<middle@acme.example>");
        await Eventually.HoldsAsync(() => Task.FromResult(server.Transcript.Contains("C: DATA")), "DATA");

        await TakeAwayAsync(node);
        goAhead.SetResult();
        await Eventually.HoldsAsync(() => Task.FromResult(server.Sessions.All(s => s.IsOver)), "the end of the session");
        Assert.Empty(server.Messages);
        await ReturnAsync();

        var message = Assert.Single(server.Messages);
        Assert.Contains("<middle@acme.example>", message.Text);
        // Whether the worker still held the row when it came back, or it had been taken from a session that was gone.
        var outcomes = (await installation.AttemptsAsync("<middle@acme.example>")).ConvertAll(a => a.Outcome);
        Assert.Equal(AttemptOutcome.Delivered, outcomes[^1]);
        Assert.All(outcomes[..^1], o => Assert.Equal(AttemptOutcome.Interrupted, o));
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Between_a_servers_250_and_the_outcome_it_causes_no_second_delivery_where_nobody_else_could_take_over()
    {
        var (dotted, answer) = (new TaskCompletionSource(), new TaskCompletionSource());
        await using var sink = new CountingSink { BeforeAnswer = (_, _) => dotted.TrySetResult() ? answer.Task : Task.CompletedTask };
        installation.Deliver("example.net", sink.EndPoint);
        await using var node = await installation.StartNodeAsync("a");
        await installation.SendAsync(node, "<once@acme.example>");
        await dotted.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);

        await TakeAwayAsync(node);
        answer.SetResult();
        await Eventually.HoldsAsync(() => Task.FromResult(sink.Of("<once@acme.example>").Accepts == 1), "the server's 250");
        await ReturnAsync();

        Assert.Equal(new Counted(1, 1), sink.Of("<once@acme.example>"));
        Assert.Equal(AttemptOutcome.Delivered, Assert.Single(await installation.AttemptsAsync("<once@acme.example>")).Outcome);
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Under_load_on_two_nodes_nothing_acknowledged_is_lost_and_what_arrives_twice_was_interrupted()
    {
        await using var sink = new CountingSink();
        installation.Deliver("example.net", sink.EndPoint);
        await using var first = await installation.StartNodeAsync("a");
        await using var second = await installation.StartNodeAsync("b");
        await using var watch = await EventWatch.StartAsync(installation, first);
        await using var load = new MailLoad(installation.ApiKey, [() => first, () => second], [() => first, () => second]);
        for (var round = 0; round < 2; round++)
        {
            await load.AcknowledgedMoreAsync(40);
            await TakeAwayAsync(first, second);
            proxy.Mend();
        }
        await load.AcknowledgedMoreAsync(20);
        await load.StopAsync();
        await ReturnAsync();

        Assert.Empty(load.Refusals);
        Assert.DoesNotContain(load.Acknowledged, id => sink.Of(id).Accepts == 0);
        var interruptions = await installation.InterruptionsAsync();
        Assert.DoesNotContain(sink.Counts, seen => seen.Value.Dots - 1 > interruptions.GetValueOrDefault(seen.Key));
        await installation.CountIsAsync("SELECT count(*) - count(DISTINCT message_id_header) FROM message", 0);
        await watch.AssertAllPostedAsync();
        await installation.AssertBooksBalanceAsync();
    }

    // Until the lease has run out, which is what this is about, and the nodes know it.
    private async Task TakeAwayAsync(params MoxApiProcess[] nodes)
    {
        proxy.Cut();
        await postgres.KillAsync();
        await Task.Delay(Lease, TimeProvider.System, TestContext.Current.CancellationToken);
        foreach (var node in nodes)
        {
            using var client = new HttpClient { BaseAddress = node.Metrics };
            await Eventually.HoldsAsync(async () => CutOff().IsMatch(await client.GetStringAsync("/metrics")), "the node to know that it is cut off");
        }
    }

    [GeneratedRegex(@"^moxapi_session_safe(\{.*\})? 0\b", RegexOptions.Multiline)]
    private static partial Regex CutOff();

    private async Task ReturnAsync()
    {
        proxy.Mend();
        await KillablePostgres.ReachableAsync(installation.Database);
        await installation.QueueIsEmptyAsync();
    }
}
