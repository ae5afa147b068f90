using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using Npgsql;
using static MoxApi.Migrations.Writing.Columns;

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

/// <summary>
/// A recipient to be queued. Its status says what is wanted: queued, scheduled, or delivered for a test that never leaves. Where it is suppressed
/// or its sender stopped, the write sets the status to suppressed or held instead.
/// </summary>
/// <param name="Row">Its row.</param>
/// <param name="EventId">The id of its <c>message.accepted</c>; the next one is that of the event which says what becomes of it, if it is not queued.</param>
public sealed record AcceptedRecipient(Recipient Row, long EventId)
{
    /// <summary>Ids that a recipient takes: its own, and two for events.</summary>
    public const int Ids = 3;

    // What the row's status was at first: a write that was rolled back may have set another.
    internal RecipientStatus Wanted { get; } = Row.Status;
}

/// <summary>What was committed.</summary>
/// <param name="Leased">Whether the rows were born leased: not when the session has ended meanwhile.</param>
/// <param name="Webhooks">Whether a webhook delivery was queued by the group.</param>
/// <param name="Changed">Whether a recipient's status is another than was wanted.</param>
public readonly record struct Accepted(bool Leased, bool Webhooks, bool Changed);

/// <summary>
/// The accept: message, body, recipients, queue rows, events and their webhooks in one transaction. One batch is one round trip and, having
/// a single Sync at its end, one transaction. Ids are known before, so no statement waits for another's answer.
/// </summary>
public sealed class AcceptWriter : IGroupWrite<Accept, Accepted>
{
    /// <summary>Bodies above this many octets are written on a connection of their own, so that they do not hold up a group.</summary>
    public const long AloneAbove = 1 << 20;

    // Its rows in recipient, queue and event, the address and the webhook deliveries, by and large.
    private const long OctetsPerRecipient = 500;

    // Tags go as one string each, because unnest takes an array of arrays apart; the unit separator cannot occur in a tag.
    private const string InsertMessages = """
        INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata,
          accepted_at, reverse_path, return_path_domain, require_tls, needs_smtp_utf8, domain_id, send_at, is_test)
        SELECT id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, string_to_array(tags, E'\x1f'), metadata,
          accepted_at, reverse_path, return_path_domain, require_tls, needs_smtp_utf8, domain_id, send_at, is_test
        FROM unnest($1::bigint[], $2::bigint[], $3::smallint[], $4::text[], $5::text[], $6::text[], $7::bigint[], $8::bytea[], $9::bigint[], $10::text[],
          $11::jsonb[], $12::timestamptz[], $13::text[], $14::text[], $15::smallint[], $16::bool[], $17::bigint[], $18::timestamptz[], $19::bool[])
          AS m(id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata,
            accepted_at, reverse_path, return_path_domain, require_tls, needs_smtp_utf8, domain_id, send_at, is_test)
        """;

    // One statement, since what becomes of a recipient decides over its queue row and its events. A suppression or suspension that was committed
    // before counts, whatever this node knew when it composed. A session that ended since must not be named: FOR KEY SHARE holds off whoever would
    // end it before this commits. Fates are the values of RecipientStatus, types those of EventType.
    private const string InsertRecipients = $"""
        WITH live AS (SELECT id FROM session WHERE id = ANY ($13) FOR KEY SHARE),
        r AS (
          SELECT u.*, CASE
            WHEN EXISTS (SELECT 1 FROM suppression s WHERE s.account_id = u.account_id AND s.base_address = u.base_address
              AND (s.expires_at IS NULL OR s.expires_at > u.accepted_at)) THEN 6
            WHEN u.status = 4 THEN 4
            WHEN a.id IS NULL OR a.deleted_at IS NOT NULL OR (u.domain_id IS NOT NULL AND d.id IS NULL) THEN 7
            WHEN a.suspended_at IS NOT NULL OR a.paused_at IS NOT NULL OR d.suspended_at IS NOT NULL THEN 2
            ELSE u.status END::smallint AS fate
          FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[], $6::text[], $7::text[], $8::smallint[], $9::smallint[],
            $10::timestamptz[], $11::timestamptz[], $12::timestamptz[], $13::bigint[], $14::bigint[])
            AS u(id, message_id, account_id, domain_id, lane_id, address, base_address, kind, status, accepted_at, due_at, expires_at, session, event_id)
          LEFT JOIN account a ON a.id = u.account_id LEFT JOIN domain d ON d.id = u.domain_id),
        i AS (
          INSERT INTO recipient (id, message_id, account_id, lane_id, address, base_address, accepted_at, kind, status, event_sequence, attempts, next_attempt_at)
          SELECT id, message_id, account_id, lane_id, address, base_address, accepted_at, kind, fate, CASE fate WHEN 0 THEN 1 ELSE 2 END, 0,
            CASE WHEN fate IN (0, 1) THEN due_at END
          FROM r),
        q AS (
          INSERT INTO queue (recipient_id, lane_id, domain_id, due_at, held, session_id, attempts, reclaims, in_hand, expires_at)
          SELECT r.id, r.lane_id, r.domain_id, r.due_at, r.fate = 2, CASE r.fate WHEN 0 THEN live.id END, 0, 0, false, r.expires_at
          FROM r LEFT JOIN live ON live.id = r.session WHERE r.fate IN (0, 1, 2)),
        e AS (
          INSERT INTO event (id, account_id, type, at, message_id, recipient_id, sequence)
          SELECT event_id, account_id, 1, accepted_at, message_id, id, 1 FROM r
          UNION ALL
          SELECT event_id + 1, account_id, CASE fate WHEN 1 THEN 2 WHEN 2 THEN 8 WHEN 4 THEN 3 WHEN 6 THEN 6 WHEN 7 THEN 7 END, accepted_at, message_id, id, 2 FROM r WHERE fate <> 0
          RETURNING id, account_id, type, at),
        {EventFanOut.Sql}
        SELECT (SELECT array_agg(id) FROM live), (SELECT count(*) FROM wq), c.ids, c.fates
        FROM (SELECT array_agg(id) AS ids, array_agg(fate) AS fates FROM r WHERE fate <> status) c
        """;

    /// <inheritdoc/>
    public long SizeOf(Accept item) => item.Message.Size + (OctetsPerRecipient * item.Recipients.Count);

    /// <inheritdoc/>
    public async Task<Accepted[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<Accept> group, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        BodyWriter.Add(batch, group);
        return await WriteRowsAsync(batch, group, cancel);
    }

    /// <summary>Writes a message with a large body, chunk by chunk, on a connection of its own.</summary>
    public static async Task<Accepted> WriteLargeAsync(NpgsqlDataSource database, Accept item, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var accepted = await WriteLargeAsync(connection, item, cancel);
        // The caller may not leave between the commit and its answer.
        await transaction.CommitAsync(CancellationToken.None);
        return accepted;
    }

    /// <summary>Writes a message with a large body within the connection's transaction.</summary>
    internal static async Task<Accepted> WriteLargeAsync(NpgsqlConnection connection, Accept item, CancellationToken cancel)
    {
        await BodyWriter.WriteAsync(connection, item.Message.BodyId, item.Body, cancel);
        await using var batch = new NpgsqlBatch(connection);
        return (await WriteRowsAsync(batch, [item], cancel))[0];
    }

    private static async Task<Accepted[]> WriteRowsAsync(NpgsqlBatch batch, IReadOnlyList<Accept> group, CancellationToken cancel)
    {
        AddMessages(batch, group);
        AddRecipients(batch, group);
        long[] live;
        Dictionary<long, short> fates;
        bool webhooks;
        await using (var reader = await batch.ExecuteReaderAsync(cancel))
        {
            // Only the last statement answers with a row.
            await reader.ReadAsync(cancel);
            live = reader.IsDBNull(0) ? [] : reader.GetFieldValue<long[]>(0);
            webhooks = reader.GetInt64(1) > 0;
            fates = reader.IsDBNull(2) ? [] : reader.GetFieldValue<long[]>(2).Zip(reader.GetFieldValue<short[]>(3)).ToDictionary(f => f.First, f => f.Second);
        }

        return group.Select(g => new Accepted(live.Contains(g.Session), webhooks, SetFates(g, fates))).ToArray();
    }

    private static bool SetFates(Accept accept, Dictionary<long, short> fates)
    {
        foreach (var recipient in accept.Recipients)
            recipient.Row.Status = fates.TryGetValue(recipient.Row.Id, out var fate) ? (RecipientStatus)fate : recipient.Wanted;
        return accept.Recipients.Any(r => r.Row.Status != r.Wanted);
    }

    private static void AddMessages(NpgsqlBatch batch, IReadOnlyList<Accept> group)
    {
        batch.Add(InsertMessages,
            Column(group, g => g.Message.Id), Column(group, g => g.Message.AccountId), Column(group, g => (short)g.Message.Direction),
            Column(group, g => g.Message.MessageIdHeader), Column(group, g => g.Message.FromHeader), Column(group, g => g.Message.Subject),
            Column(group, g => g.Message.Size), Bytes(group.Select(g => g.Message.Header).ToArray()), Column(group, g => g.Message.BodyId),
            Column(group, g => string.Join('\x1f', g.Message.Tags)), Json(group.Select(g => g.Message.Metadata).ToArray()),
            Column(group, g => g.Message.AcceptedAt), Column(group, g => g.Message.ReversePath), Column(group, g => g.Message.ReturnPathDomain),
            Column(group, g => (short)g.Message.RequireTls), Column(group, g => g.Message.NeedsSmtpUtf8), Column(group, g => g.Message.DomainId),
            Column(group, g => g.Message.SendAt), Column(group, g => g.Message.IsTest));
    }

    private static void AddRecipients(NpgsqlBatch batch, IReadOnlyList<Accept> group)
    {
        var rows = group.SelectMany(g => g.Recipients.Select(r => (Accept: g, r.Row, r.EventId, r.Wanted))).ToArray();
        batch.Add(InsertRecipients,
            Column(rows, r => r.Row.Id), Column(rows, r => r.Row.MessageId), Column(rows, r => r.Row.AccountId), Column(rows, r => r.Accept.Message.DomainId),
            Column(rows, r => r.Row.LaneId), Column(rows, r => r.Row.Address), Column(rows, r => r.Row.BaseAddress), Column(rows, r => (short)r.Row.Kind),
            Column(rows, r => (short)r.Wanted), Column(rows, r => r.Accept.Message.AcceptedAt), Column(rows, r => r.Accept.DueAt), Column(rows, r => r.Accept.ExpiresAt),
            Column(rows, r => r.Accept.Session), Column(rows, r => r.EventId));
    }
}
