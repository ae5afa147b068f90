using MoxApi.Migrations;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>A node was killed while it scheduled a chore: Hangfire's lock stays in the database.</summary>
public class LeftLockTests(TestPostgres postgres)
{
    [Fact]
    public async Task The_next_node_delivers_all_the_same()
    {
        await using var sink = new CountingSink();
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        await using (var left = installation.Database.CreateCommand($"INSERT INTO {SchemaMigrator.HangfireSchema}.lock (resource, updatecount, acquired) VALUES ('hangfire:lock:recurring-job:books', 0, now() + interval '1 day')"))
            await left.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        await using var node = await installation.StartNodeAsync("a");
        await installation.SendAsync(node, "<one@acme.example>");
        await installation.QueueIsEmptyAsync();

        Assert.Equal(1, sink.Of("<one@acme.example>").Accepts);
        await installation.CountIsAsync($"SELECT count(*) FROM {SchemaMigrator.HangfireSchema}.lock WHERE acquired > now()", 1);
        Assert.Equal(0, await node.StopAsync("TERM"));
    }
}
