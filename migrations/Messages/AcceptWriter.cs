using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using Npgsql;
using NpgsqlTypes;

namespace MoxApi.Migrations.Messages;

/// <summary>A message to be stored and queued, with ids from <see cref="Identifiers.IdBlocks"/>.</summary>
/// <param name="Message">Its row.</param>
/// <param name="Body">Its octets after the header.</param>
/// <param name="Recipients">One to a thousand.</param>
/// <param name="DueAt">When the first attempt is due.</param>
/// <param name="ExpiresAt">The end of its life in the queue.</param>
/// <param name="Session">The session that delivers it at once ("born leased"), or 0.</param>
public sealed record Accept(
    Message Message, BodyContent Body, IReadOnlyList<AcceptedRecipient> Recipients, DateTimeOffset DueAt, DateTimeOffset ExpiresAt, long Session);

/// <summary>A recipient to be queued, and the id of its <c>message.accepted</c>.</summary>
public sealed record AcceptedRecipient(Recipient Row, long EventId);

/// <summary>What was committed.</summary>
/// <param name="Leased">Whether the rows were born leased: not when the session has ended meanwhile.</param>
/// <param name="Webhooks">Whether a webhook delivery was queued by the group.</param>
public readonly record struct Accepted(bool Leased, bool Webhooks);

/// <summary>
/// The accept: message, body, recipients, queue rows, events and their webhooks in one transaction. One batch is one round trip and, having
/// a single Sync at its end, one transaction. Ids are known before, so no statement waits for another's answer.
/// </summary>
public sealed class AcceptWriter : IGroupWrite<Accept, Accepted>
{
    /// <summary>Bodies above this many octets are written on a connection of their own, so that they do not hold up a group.</summary>
    public const long AloneAbove = 1 << 20;

    private const string InsertBodies = "INSERT INTO body (id, size, \"inline\") SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])";

    private const string InsertChunks = "INSERT INTO body_chunk (body_id, number, bytes) SELECT * FROM unnest($1::bigint[], $2::int[], $3::bytea[])";

    // Tags go as one string each, because unnest takes an array of arrays apart; the unit separator cannot occur in a tag.
    private const string InsertMessages = """
        INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata,
          accepted_at, reverse_path, return_path_domain, require_tls, needs_smtp_utf8)
        SELECT id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, string_to_array(tags, E'\x1f'), metadata,
          accepted_at, reverse_path, return_path_domain, require_tls, needs_smtp_utf8
        FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[], $9::bigint[], $10::text[],
          $11::jsonb[], $12::timestamptz[], $13::text[], $14::text[], $15::smallint[], $16::bool[])
          AS m(id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata,
            accepted_at, reverse_path, return_path_domain, require_tls, needs_smtp_utf8)
        """;

    private const string InsertRecipients = """
        INSERT INTO recipient (id, message_id, account_id, lane_id, address, kind, status, event_sequence, attempts, next_attempt_at)
        SELECT id, message_id, account_id, lane_id, address, kind, status, 1, 0, due_at
        FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::text[], $6::smallint[], $7::smallint[], $8::timestamptz[])
          AS r(id, message_id, account_id, lane_id, address, kind, status, due_at)
        """;

    // A session that ended since must not be named: FOR KEY SHARE holds off whoever would end it before this commits.
    private const string InsertQueue = """
        WITH live AS (SELECT id FROM session WHERE id = ANY ($5) FOR KEY SHARE),
        q AS (
          INSERT INTO queue (recipient_id, lane_id, due_at, held, session_id, attempts, reclaims, expires_at)
          SELECT r.id, r.lane_id, r.due_at, false, live.id, 0, 0, r.expires_at
          FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::bigint[]) AS r(id, lane_id, due_at, expires_at, session)
          LEFT JOIN live ON live.id = r.session)
        SELECT id FROM live
        """;

    private const string InsertEvents = $"""
        WITH e AS (
          INSERT INTO event (id, account_id, type, at, message_id, recipient_id, sequence)
          SELECT id, account_id, 1, at, message_id, recipient_id, 1
          FROM unnest($1::bigint[], $2::bigint[], $3::timestamptz[], $4::bigint[], $5::bigint[]) AS x(id, account_id, at, message_id, recipient_id)
          RETURNING id, account_id, type, at),
        {EventFanOut.Sql}
        SELECT count(*) FROM wq
        """;

    /// <inheritdoc/>
    public long SizeOf(Accept item) => item.Message.Size;

    /// <inheritdoc/>
    public async Task<Accepted[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<Accept> group, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        AddBodies(batch, group);
        return await WriteRowsAsync(batch, group, cancel);
    }

    /// <summary>Writes a message with a large body, chunk by chunk, on a connection of its own.</summary>
    public static async Task<Accepted> WriteLargeAsync(NpgsqlDataSource database, Accept item, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await WriteBodyAsync(connection, item.Message.BodyId, item.Body, cancel);
        var accepted = await WriteRowsAsync(connection, item, cancel);
        // The caller may not leave between the commit and its answer.
        await transaction.CommitAsync(CancellationToken.None);
        return accepted;
    }

    /// <summary>Writes everything but the body within the connection's transaction.</summary>
    internal static async Task<Accepted> WriteRowsAsync(NpgsqlConnection connection, Accept item, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        return (await WriteRowsAsync(batch, [item], cancel))[0];
    }

    /// <summary>Writes a body within the connection's transaction, with one chunk in memory at a time.</summary>
    public static async Task WriteBodyAsync(NpgsqlConnection connection, long bodyId, BodyContent body, CancellationToken cancel)
    {
        var inline = body is { IsInMemory: true, Size: <= Body.InlineLimit };
        await using var insert = new NpgsqlCommand(InsertBodies, connection)
        {
            Parameters = { new() { Value = new[] { bodyId } }, new() { Value = new[] { body.Size } }, Bytes([inline ? body.Memory.ToArray() : null]) },
        };
        await insert.ExecuteNonQueryAsync(cancel);
        if (inline) return;
        var number = 0;
        await foreach (var chunk in body.ChunksAsync(cancel))
        {
            await using var command = new NpgsqlCommand("INSERT INTO body_chunk (body_id, number, bytes) VALUES ($1, $2, $3)", connection)
            {
                Parameters = { new() { Value = bodyId }, new() { Value = number++ }, new() { Value = chunk } },
            };
            await command.ExecuteNonQueryAsync(cancel);
        }
    }

    private static void AddBodies(NpgsqlBatch batch, IReadOnlyList<Accept> group)
    {
        var inline = new byte[]?[group.Count];
        var chunks = new List<(long Body, int Number, byte[] Bytes)>();
        for (var i = 0; i < group.Count; i++)
        {
            var body = group[i].Body.Memory;
            if (body.Length <= Body.InlineLimit) inline[i] = body.ToArray();
            else for (var n = 0; n * Body.ChunkSize < body.Length; n++)
                chunks.Add((group[i].Message.BodyId, n, body[(n * Body.ChunkSize)..Math.Min(body.Length, (n + 1) * Body.ChunkSize)].ToArray()));
        }
        Add(batch, InsertBodies, Column(group, g => g.Message.BodyId), Column(group, g => g.Body.Size), Bytes(inline));
        if (chunks.Count > 0) Add(batch, InsertChunks, Column(chunks, c => c.Body), Column(chunks, c => c.Number), Bytes(chunks.ConvertAll(c => c.Bytes).ToArray()));
    }

    private static async Task<Accepted[]> WriteRowsAsync(NpgsqlBatch batch, IReadOnlyList<Accept> group, CancellationToken cancel)
    {
        AddMessages(batch, group);
        AddRecipients(batch, group);
        await using var reader = await batch.ExecuteReaderAsync(cancel);
        // Two statements of the batch answer rows: the sessions that are alive, and how many webhooks were queued.
        var live = new HashSet<long>();
        while (await reader.ReadAsync(cancel)) live.Add(reader.GetInt64(0));
        await reader.NextResultAsync(cancel);
        await reader.ReadAsync(cancel);
        var webhooks = reader.GetInt64(0) > 0;
        await reader.CloseAsync();
        return group.Select(g => new Accepted(live.Contains(g.Session), webhooks)).ToArray();
    }

    private static void AddMessages(NpgsqlBatch batch, IReadOnlyList<Accept> group)
    {
        Add(batch, InsertMessages,
            Column(group, g => g.Message.Id), Column(group, g => g.Message.AccountId), Column(group, g => (short)g.Message.Direction),
            Column(group, g => g.Message.MessageIdHeader), Column(group, g => g.Message.FromHeader), Column(group, g => g.Message.Subject),
            Column(group, g => g.Message.Size), Bytes(group.Select(g => g.Message.Header).ToArray()), Column(group, g => g.Message.BodyId),
            Column(group, g => string.Join('\x1f', g.Message.Tags)), Json(group.Select(g => g.Message.Metadata).ToArray()),
            Column(group, g => g.Message.AcceptedAt), Column(group, g => g.Message.ReversePath), Column(group, g => g.Message.ReturnPathDomain),
            Column(group, g => (short)g.Message.RequireTls), Column(group, g => g.Message.NeedsSmtpUtf8));
    }

    private static void AddRecipients(NpgsqlBatch batch, IReadOnlyList<Accept> group)
    {
        var rows = group.SelectMany(g => g.Recipients.Select(r => (Accept: g, r.Row, r.EventId))).ToArray();
        Add(batch, InsertRecipients,
            Column(rows, r => r.Row.Id), Column(rows, r => r.Row.MessageId), Column(rows, r => r.Row.AccountId), Column(rows, r => r.Row.LaneId),
            Column(rows, r => r.Row.Address), Column(rows, r => (short)r.Row.Kind), Column(rows, r => (short)r.Row.Status), Column(rows, r => r.Accept.DueAt));
        Add(batch, InsertQueue,
            Column(rows, r => r.Row.Id), Column(rows, r => r.Row.LaneId), Column(rows, r => r.Accept.DueAt), Column(rows, r => r.Accept.ExpiresAt),
            Column(rows, r => r.Accept.Session));
        Add(batch, InsertEvents,
            Column(rows, r => r.EventId), Column(rows, r => r.Row.AccountId), Column(rows, r => r.Accept.Message.AcceptedAt), Column(rows, r => r.Row.MessageId),
            Column(rows, r => r.Row.Id));
    }

    private static void Add(NpgsqlBatch batch, string statement, params ReadOnlySpan<NpgsqlParameter> columns)
    {
        var command = new NpgsqlBatchCommand(statement);
        foreach (var column in columns) command.Parameters.Add(column);
        batch.BatchCommands.Add(command);
    }

    private static NpgsqlParameter Column<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value) => new() { Value = items.Select(value).ToArray() };

    private static NpgsqlParameter Bytes(byte[]?[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    private static NpgsqlParameter Json(string[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb };
}
