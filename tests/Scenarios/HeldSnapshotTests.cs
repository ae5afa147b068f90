using System.Data;
using System.Net;
using System.Net.Http.Json;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Somebody holds a snapshot, as a backup does: no dead row of the queue can be cleaned away, and claims walk past them all.</summary>
public class HeldSnapshotTests(TestPostgres postgres)
{
    private const int Recipients = 1500;

    [Fact]
    public async Task Delivery_goes_on_beside_it_and_nothing_waits_for_its_end()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var sink = new CountingSink();
        installation.Deliver("example.net", sink.EndPoint);
        await using var node = await installation.StartNodeAsync("a", ("Delivery__MaxLeasedPerDestination", "50")); // Many claims, each past more dead rows.
        await using var backup = await installation.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var snapshot = await backup.BeginTransactionAsync(IsolationLevel.RepeatableRead, TestContext.Current.CancellationToken);
        Assert.Equal(0, await CountAsync(backup, "SELECT count(*) FROM recipient"));

        await SendToManyAsync(installation, node, Recipients / 2);
        await SendToManyAsync(installation, node, Recipients / 2);
        await using (var load = new MailLoad(installation.ApiKey, () => node, () => node)) await load.AcknowledgedMoreAsync(50);
        await installation.QueueIsEmptyAsync();

        // It still sees nothing of all that, so every version of every row is still there.
        Assert.Equal(0, await CountAsync(backup, "SELECT count(*) FROM recipient"));
        var report = await installation.AssertBooksBalanceAsync();
        Assert.InRange(report.Accepted, Recipients + 50, int.MaxValue);
        Assert.Equal(report.Accepted, report.ByStatus[RecipientStatus.Delivered]);
        Assert.Equal(report.Accepted, sink.Counts.Values.Sum(c => c.Dots));
    }

    private static async Task SendToManyAsync(Installation installation, MoxApiProcess node, int count)
    {
        using var client = node.Client(installation.ApiKey);
        using var answer = await client.PostAsJsonAsync("/v1/messages", new { bcc = Enumerable.Range(0, count).Select(n => $"jane{n}@example.net"), subject = "To many", text = "It works." });
        Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
