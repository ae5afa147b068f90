using Npgsql;

namespace MoxApi.Migrations.Retention;

/// <summary>
/// Deletes bodies that belong to no message. The body of a received message may be shared, so who deletes such a message leaves the body. A body and its
/// messages are committed together, so one that has none will not get any.
/// </summary>
internal sealed class OrphanedBodies(NpgsqlDataSource database, Batches batches)
{
    private const string Delete = """
        WITH gone AS (DELETE FROM body WHERE id = ANY ($1) RETURNING id), chunks AS (DELETE FROM body_chunk c USING gone WHERE c.body_id = gone.id)
        SELECT count(*) FROM gone
        """;

    /// <summary>Deletes them; returns how many. It reads every message's row, so it is not for every hour.</summary>
    public async Task<int> DeleteAsync(CancellationToken stop)
    {
        var total = 0L;
        foreach (var batch in (await FindAsync(stop)).Chunk(100)) total += await batches.RunAsync(Delete, row => row.GetInt64(0), stop, batch) ?? 0;
        return (int)total;
    }

    private async Task<List<long>> FindAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand("SELECT b.id FROM body b WHERE NOT EXISTS (SELECT FROM message m WHERE m.body_id = b.id)");
        command.CommandTimeout = 0;
        await using var reader = await command.ExecuteReaderAsync(stop);
        var found = new List<long>();
        while (await reader.ReadAsync(stop)) found.Add(reader.GetInt64(0));
        return found;
    }
}
