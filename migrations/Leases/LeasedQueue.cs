using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Migrations.Leases;

/// <summary>A row that this node's session holds.</summary>
/// <param name="Id">The recipient or the webhook delivery.</param>
/// <param name="LaneId">The lane or the webhook endpoint.</param>
/// <param name="Attempts">Attempts made before.</param>
/// <param name="Reclaims">How often in a row it came back from a session that died with it.</param>
public readonly record struct LeasedRow(long Id, long LaneId, int Attempts, int Reclaims);

/// <summary>A lane that has rows waiting, and when the first of them is due.</summary>
public readonly record struct WaitingLane(long LaneId, DateTimeOffset DueAt);

/// <summary>What to claim of a lane: at most so many rows.</summary>
public readonly record struct Want(long LaneId, int Rows);

/// <summary>
/// Leases on the rows of a queue table: the queue of recipients, or that of webhook deliveries, which have the same shape. A lease is a
/// committed <c>session_id</c>; it ends with the session (<see cref="Nodes.NodeSession"/>), so a dead worker's rows come back without its
/// doing. Nothing here orders a whole queue by time: that would walk every row of every blocked lane.
/// </summary>
public sealed class LeasedQueue
{
    private readonly string claim;
    private readonly string waiting;
    private readonly string release;
    private readonly string releaseSession;
    private readonly string releaseStrays;
    private readonly string leased;

    /// <param name="table">The table.</param>
    /// <param name="key">Its key.</param>
    /// <param name="lane">The column by which its rows are claimed.</param>
    /// <param name="untouched">What to set besides the session in a row that is given back.</param>
    private LeasedQueue(string table, string key, string lane, string untouched)
    {
        // One round trip claims from many lanes. The session must still be alive: FOR KEY SHARE holds off whoever would end it. The array makes the update go by key:
        // what a lateral limit lets through nobody can estimate, and joined with "pick" a million due rows would be read for five hundred.
        claim = $"""
            WITH mine AS (SELECT id FROM session WHERE id = $4 FOR KEY SHARE),
            pick AS (
              SELECT q.{key} FROM unnest($1::bigint[], $2::int[]) AS want(lane, n)
              CROSS JOIN LATERAL (
                SELECT {key} FROM {table}
                WHERE {lane} = want.lane AND session_id IS NULL AND NOT held AND due_at <= $3
                ORDER BY due_at, {key} LIMIT want.n FOR UPDATE SKIP LOCKED) q)
            UPDATE {table} SET session_id = mine.id FROM mine WHERE {table}.{key} = ANY (ARRAY(SELECT {key} FROM pick))
            RETURNING {table}.{key}, {table}.{lane}, {table}.attempts, {table}.reclaims
            """;
        // A skip scan: one index probe per lane that has rows, however many rows it has.
        waiting = $"""
            WITH RECURSIVE lanes AS (
              (SELECT {lane} AS lane FROM {table} WHERE session_id IS NULL AND NOT held ORDER BY {lane} LIMIT 1)
              UNION ALL
              SELECT (SELECT {lane} FROM {table} WHERE session_id IS NULL AND NOT held AND {lane} > lanes.lane ORDER BY {lane} LIMIT 1)
              FROM lanes WHERE lanes.lane IS NOT NULL)
            SELECT lanes.lane, first.due_at FROM lanes CROSS JOIN LATERAL (
              SELECT due_at FROM {table} WHERE {lane} = lanes.lane AND session_id IS NULL AND NOT held ORDER BY due_at LIMIT 1) first
            WHERE lanes.lane IS NOT NULL
            """;
        release = $"UPDATE {table} SET session_id = NULL{untouched} WHERE {key} = ANY($1) AND session_id = $2";
        releaseSession = $"UPDATE {table} SET session_id = NULL{untouched} WHERE session_id = $1";
        releaseStrays = $"UPDATE {table} SET session_id = NULL{untouched} WHERE session_id = $1 AND {key} <> ALL ($2)";
        leased = $"SELECT {key} FROM {table} WHERE session_id = $1";
    }

    /// <summary>Recipients on their way to mail servers.</summary>
    public static LeasedQueue Mail { get; } = new("queue", "recipient_id", "lane_id", ", in_hand = false");

    /// <summary>Events on their way to webhook endpoints.</summary>
    public static LeasedQueue Webhooks { get; } = new("webhook_queue", "delivery_id", "endpoint_id", "");

    /// <summary>The statement of a claim: lanes, rows of each, the time, and the session.</summary>
    internal string ClaimStatement => claim;

    /// <summary>The lanes that have rows nobody holds, with the time their first row is due.</summary>
    public async Task<List<WaitingLane>> WaitingAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(waiting);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var lanes = new List<WaitingLane>();
        while (await reader.ReadAsync(cancel)) lanes.Add(new(reader.GetInt64(0), reader.GetFieldValue<DateTimeOffset>(1)));
        return lanes;
    }

    /// <summary>Claims due rows of several lanes for a session, oldest first; none when the session is no longer alive.</summary>
    public async Task<List<LeasedRow>> ClaimAsync(
        NpgsqlDataSource database, long session, IReadOnlyCollection<Want> wants, DateTimeOffset now, CancellationToken cancel)
    {
        var rows = new List<LeasedRow>();
        if (wants.Count == 0) return rows;
        await using var command = database.CreateCommand(claim);
        command.Parameters.Add(new() { Value = wants.Select(w => w.LaneId).ToArray() });
        command.Parameters.Add(new() { Value = wants.Select(w => w.Rows).ToArray() });
        command.Parameters.Add(new() { Value = now });
        command.Parameters.Add(new() { Value = session });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel)) rows.Add(new(reader.GetInt64(0), reader.GetInt64(1), reader.GetInt32(2), reader.GetInt32(3)));
        return rows;
    }

    /// <summary>Gives rows back that were not worked on.</summary>
    public async Task ReleaseAsync(NpgsqlDataSource database, long session, long[] ids, CancellationToken cancel)
    {
        if (ids.Length > 0) await UpdateAsync(database, release, cancel, ids, session);
    }

    /// <summary>Gives back all rows of a session that ends in good order.</summary>
    public Task ReleaseAllAsync(NpgsqlDataSource database, long session, CancellationToken cancel) => UpdateAsync(database, releaseSession, cancel, session);

    /// <summary>
    /// Gives back the rows of a session that its node does not know of: their claim was committed, but the answer was lost on its way.
    /// <paramref name="known"/> are all rows that the node has in hand. Only the loop that claims may call this, between claims.
    /// </summary>
    public Task<int> ReleaseStraysAsync(NpgsqlDataSource database, long session, long[] known, CancellationToken cancel) =>
        UpdateAsync(database, releaseStrays, cancel, session, known);

    /// <summary>All rows of a session.</summary>
    public async Task<List<long>> LeasedAsync(NpgsqlDataSource database, long session, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(leased);
        command.Parameters.Add(new() { Value = session });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<long>();
        while (await reader.ReadAsync(cancel)) rows.Add(reader.GetInt64(0));
        return rows;
    }

    // Rows are taken as the table has them, so others may be met who take them by id.
    private static Task<int> UpdateAsync(NpgsqlDataSource database, string statement, CancellationToken cancel, params object[] values) => Deadlock.RetryAsync(
        async stop =>
        {
            await using var command = database.CreateCommand(statement);
            foreach (var value in values) command.Parameters.Add(new() { Value = value });
            return await command.ExecuteNonQueryAsync(stop);
        },
        cancel);
}
