using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>PostgreSQL dies as <c>kill -9</c> of its first process makes it, with all guarantees for the disk in force, and comes back.</summary>
public sealed class PostgresKilledTests : IAsyncLifetime
{
    // Longer than PostgreSQL is away.
    private static readonly (string, string) Lease = ("Node__Lease", "00:00:15");

    private readonly TemporaryFolder folder = new();
    private readonly CountingSink sink = new();
    private KillablePostgres postgres = null!;
    private Installation installation = null!;

    public async ValueTask InitializeAsync()
    {
        postgres = await KillablePostgres.StartAsync(folder.FullName);
        installation = await Installation.CreateAsync(postgres.ConnectionString);
        installation.Deliver("example.net", sink.EndPoint);
    }

    public async ValueTask DisposeAsync()
    {
        await installation.DisposeAsync();
        await sink.DisposeAsync();
        await postgres.DisposeAsync();
        folder.Dispose();
    }

    [Fact]
    public async Task Killed_under_load_it_loses_nothing_acknowledged_and_nothing_is_delivered_twice()
    {
        await using var node = await installation.StartNodeAsync("a", Lease);
        await using var load = new MailLoad(installation.ApiKey, () => node, () => node, () => node);
        for (var round = 0; round < 3; round++)
        {
            await load.AcknowledgedMoreAsync(60);
            await postgres.KillAsync();
        }
        await load.AcknowledgedMoreAsync(20);
        await load.StopAsync();
        await KillablePostgres.ReachableAsync(installation.Database);
        await installation.QueueIsEmptyAsync();

        Assert.Empty(load.Refusals);
        Assert.DoesNotContain(load.Acknowledged, id => sink.Of(id).Accepts == 0);
        Assert.DoesNotContain(sink.Counts, seen => seen.Value.Dots > 1);
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task Killed_between_a_servers_250_and_the_outcome_it_causes_no_second_delivery()
    {
        var killed = new TaskCompletionSource();
        sink.BeforeAnswer = async (_, _) =>
        {
            await postgres.KillAsync();
            killed.SetResult();
        };
        await using var node = await installation.StartNodeAsync("a", Lease);
        await installation.SendAsync(node, "<once@acme.example>");
        await killed.Task.WaitAsync(Eventually.Patience, TestContext.Current.CancellationToken);
        await KillablePostgres.ReachableAsync(installation.Database);
        await installation.QueueIsEmptyAsync();

        Assert.Equal(new Counted(1, 1), sink.Of("<once@acme.example>"));
        var attempt = Assert.Single(await installation.AttemptsAsync("<once@acme.example>"));
        Assert.Equal(AttemptOutcome.Delivered, attempt.Outcome);
        await installation.AssertBooksBalanceAsync();
    }
}
