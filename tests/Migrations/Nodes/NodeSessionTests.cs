using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Migrations.Nodes;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;
using Installation = MoxApi.Tests.Hosting.Installation;

namespace MoxApi.Tests.Migrations.Nodes;

public class NodeSessionTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_node_without_its_connection_is_not_safe_for_its_name_may_be_anothers()
    {
        var time = new FakeTimeProvider();
        await using var installation = await Installation.CreateAsync(postgres);
        await using var database = NpgsqlDataSource.Create(installation.ConnectionString);
        await using var session = new NodeSession(database, "one", [], new LeaseTimes(), time, NullLogger<NodeSession>.Instance);
        await session.StartAsync(TestContext.Current.CancellationToken);
        Assert.True(session.IsSafe);

        await EndConnectionsAsync(installation);

        // The clock stands still, so the renewal is as young as before, and the node does not yet connect again.
        await Eventually.HoldsAsync(() => Task.FromResult(!session.IsSafe), "the node to notice");
        await Eventually.HoldsAsync(
            () =>
            {
                time.Advance(TimeSpan.FromMilliseconds(250));
                return Task.FromResult(session.IsSafe);
            },
            "the node to have its name again");
    }

    [Fact]
    public async Task A_session_that_has_ended_leaves_its_name_to_others_though_its_pool_lives_on()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(installation.ConnectionString) { NoResetOnClose = true });
        await using (var session = new NodeSession(database, "one", [], new LeaseTimes(), TimeProvider.System, NullLogger<NodeSession>.Instance))
            await session.StartAsync(TestContext.Current.CancellationToken);

        await using var again = new NodeSession(installation.Database, "one", [], new LeaseTimes(), TimeProvider.System, NullLogger<NodeSession>.Instance);
        await again.StartAsync(TestContext.Current.CancellationToken);

        Assert.True(again.IsSafe);
    }

    private static async Task EndConnectionsAsync(Installation installation)
    {
        await using var other = NpgsqlDataSource.Create(installation.ConnectionString);
        await using var command = other.CreateCommand("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()");
        await command.ExecuteNonQueryAsync();
    }
}
