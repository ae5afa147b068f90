using System.Globalization;
using Npgsql;

namespace MoxApi.Migrations.Leases;

/// <summary>A row whose session is gone.</summary>
/// <param name="Id">The recipient.</param>
/// <param name="Reclaims">How often in a row it came back before.</param>
/// <param name="InHand">Whether a worker had begun with it: known only of a row that came back before.</param>
internal readonly record struct OrphanedRow(long Id, int Reclaims, bool InHand);

/// <summary>The rows of queue tables whose session is gone.</summary>
public static class OrphanedRows
{
    /// <summary>
    /// Makes webhook deliveries whose session is gone claimable again and returns their number: they may be posted twice and carry an id that tells. Recipients of
    /// mail come back through <see cref="Messages.Orphans"/>, which writes down what may have happened.
    /// </summary>
    public static async Task<int> ReturnWebhooksAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand($"""
            {DeadIn("webhook_queue")},
            mine AS (SELECT delivery_id FROM webhook_queue WHERE session_id IN (SELECT id FROM dead) ORDER BY delivery_id FOR UPDATE SKIP LOCKED)
            UPDATE webhook_queue q SET session_id = NULL, reclaims = q.reclaims + 1 FROM mine WHERE q.delivery_id = mine.delivery_id
            """);
        return await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>Takes up to <paramref name="limit"/> recipients whose session is gone, locked until the transaction ends.</summary>
    internal static async Task<List<OrphanedRow>> LockMailAsync(NpgsqlConnection connection, int limit, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(string.Create(CultureInfo.InvariantCulture, $"""
            {DeadIn("queue")}
            SELECT recipient_id, reclaims, in_hand FROM queue WHERE session_id IN (SELECT id FROM dead) ORDER BY recipient_id LIMIT {limit} FOR UPDATE SKIP LOCKED
            """), connection);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<OrphanedRow>();
        while (await reader.ReadAsync(cancel)) rows.Add(new(reader.GetInt64(0), reader.GetInt32(1), reader.GetBoolean(2)));
        return rows;
    }

    // The sessions that hold rows are few: a skip scan finds them, and those without a row in session are dead.
    private static string DeadIn(string table) => $"""
        WITH RECURSIVE held AS (
          (SELECT session_id AS id FROM {table} WHERE session_id IS NOT NULL ORDER BY session_id LIMIT 1)
          UNION ALL
          SELECT (SELECT session_id FROM {table} WHERE session_id > held.id ORDER BY session_id LIMIT 1) FROM held WHERE held.id IS NOT NULL),
        dead AS (SELECT id FROM held WHERE id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM session WHERE session.id = held.id))
        """;
}
