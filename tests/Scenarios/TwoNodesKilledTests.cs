using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Two nodes under load, of which one or both are killed again and again, as <c>kill -9</c> does.</summary>
public class TwoNodesKilledTests(TestPostgres postgres)
{
    private const int Rounds = 20;
    private const int Seed = 20261123;

    [Fact]
    public async Task Nothing_acknowledged_is_lost_and_what_arrives_twice_was_interrupted()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink { BeforeAnswer = RandomDelay() };
        installation.Deliver("example.net", sink.EndPoint);
        var nodes = await Task.WhenAll(StartAsync(installation, "a"), StartAsync(installation, "b"));
        try
        {
            await using var watch = await EventWatch.StartAsync(installation, nodes[0]!);
            await using var load = new MailLoad(installation.ApiKey, [() => nodes[0], () => nodes[1]], [() => nodes[0], () => nodes[1]]);
            await KillAgainAndAgainAsync(installation, nodes!, load);
            await load.StopAsync();
            await installation.QueueIsEmptyAsync();

            Assert.Empty(load.Refusals);
            Assert.DoesNotContain(load.Acknowledged, id => sink.Of(id).Accepts == 0);
            // Whoever got his message a second time had it in the hands of a node that died: a final dot without a committed outcome.
            var interruptions = await installation.InterruptionsAsync();
            Assert.DoesNotContain(sink.Counts, seen => seen.Value.Dots - 1 > interruptions.GetValueOrDefault(seen.Key));
            Assert.NotEmpty(interruptions);
            await installation.CountIsAsync("SELECT count(*) - count(DISTINCT message_id_header) FROM message", 0);
            await watch.AssertAllPostedAsync();
            var report = await installation.AssertBooksBalanceAsync();
            Assert.Equal(report.Accepted, report.ByStatus[RecipientStatus.Delivered]);
            Assert.True(report.Accepted >= load.Acknowledged.Count);
        }
        finally
        {
            foreach (var node in nodes.OfType<MoxApiProcess>()) await node.DisposeAsync();
        }
    }

    // A node that was killed comes back while the load goes on at the other one, if that lives.
    private static async Task KillAgainAndAgainAsync(Installation installation, MoxApiProcess?[] nodes, MailLoad load)
    {
        var random = new Random(Seed);
        var coming = new[] { Task.CompletedTask, Task.CompletedTask };
        for (var round = 0; round < Rounds; round++)
        {
            await load.AcknowledgedMoreAsync(20 + random.Next(60));
            var victims = random.Next(3) switch { 0 => [0], 1 => [1], _ => new[] { 0, 1 } };
            await Task.WhenAll(victims.Select(n => coming[n]));
            await Task.WhenAll(victims.Select(n => KillAsync(nodes, n)));
            foreach (var n in victims) coming[n] = ComeBackAsync(n);
        }
        await Task.WhenAll(coming);

        async Task ComeBackAsync(int n) => nodes[n] = await StartAsync(installation, n == 0 ? "a" : "b");
    }

    private static async Task KillAsync(MoxApiProcess?[] nodes, int number)
    {
        var node = nodes[number]!;
        nodes[number] = null;
        await node.KillAsync();
        await node.DisposeAsync();
    }

    // A short lease, so that a node that stays away is replaced within the test.
    private static Task<MoxApiProcess> StartAsync(Installation installation, string name) => installation.StartNodeAsync(name, ("Node__Lease", "00:00:02"));

    private static Func<string, int, Task> RandomDelay()
    {
        var random = new Random(Seed);
        var gate = new Lock();
        return (_, _) =>
        {
            lock (gate) return Task.Delay(TimeSpan.FromMilliseconds(random.Next(30)), TimeProvider.System);
        };
    }
}
