using MoxApi.Migrations.Leases;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Leases;

public class LeasedQueueTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_claim_reads_what_it_claims_however_much_is_due()
    {
        await using var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
        await ExecuteAsync(database, """
            INSERT INTO queue (recipient_id, lane_id, due_at, held, attempts, reclaims, in_hand, expires_at)
            SELECT n, n % 3, now() - interval '1 hour', false, 0, 0, false, now() FROM generate_series(1, 50000) n
            """);
        await ExecuteAsync(database, "ANALYZE queue");

        await using var explain = database.CreateCommand("EXPLAIN " + LeasedQueue.Mail.ClaimStatement);
        foreach (var value in new object[] { new long[] { 0, 1, 2 }, new[] { 100, 100, 100 }, TimeProvider.System.GetUtcNow(), 1L }) explain.Parameters.Add(new() { Value = value });
        var plan = new List<string>();
        await using (var reader = await explain.ExecuteReaderAsync(TestContext.Current.CancellationToken))
        {
            while (await reader.ReadAsync(TestContext.Current.CancellationToken)) plan.Add(reader.GetString(0));
        }

        Assert.Contains(plan, line => line.Contains("ix_queue_due", StringComparison.Ordinal));
        Assert.DoesNotContain(plan, line => line.Contains("Seq Scan on queue", StringComparison.Ordinal));
    }

    private static async Task ExecuteAsync(NpgsqlDataSource database, string statement)
    {
        await using var command = database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
    }
}
