using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>What an attempt made of one recipient, with ids from <see cref="Identifiers.IdBlocks"/>.</summary>
/// <param name="Session">The session that held the recipient.</param>
/// <param name="Attempt">The attempt; its number is set by the statement.</param>
/// <param name="EventId">The id of the event.</param>
/// <param name="Status">The recipient's status from now on; <see cref="RecipientStatus.Delayed"/> keeps it in the queue.</param>
/// <param name="NextAttemptAt">When the next attempt is due, while there is one.</param>
/// <param name="Suppression">Whether it puts the address on the suppression list.</param>
public sealed record Outcome(
    long Session, Attempt Attempt, long EventId, RecipientStatus Status, DateTimeOffset? NextAttemptAt, SuppressionRule Suppression = SuppressionRule.None)
{
    /// <summary>The event that says so.</summary>
    public EventType Event => Status switch
    {
        RecipientStatus.Delivered => EventType.MessageDelivered,
        RecipientStatus.Delayed => EventType.MessageDelayed,
        RecipientStatus.Failed => EventType.MessageFailed,
        RecipientStatus.Quarantined => EventType.MessageQuarantined,
        _ => throw new InvalidOperationException($"No attempt ends in {Status}."),
    };
}

/// <summary>When a failure puts its address on the account's suppression list.</summary>
public enum SuppressionRule : short
{
    /// <summary>It does not: nothing failed for good, or not for a reason that lies with the address.</summary>
    None = 0,

    /// <summary>At once.</summary>
    AtOnce = 1,

    /// <summary>If the two messages to the address before it failed for such a reason too.</summary>
    AfterThree = 2,
}

/// <summary>What became of an outcome.</summary>
/// <param name="Applied">False when the lease had ended and others decide over the recipient, or when a repeated write had been committed before.</param>
/// <param name="Webhooks">Whether a webhook delivery was queued by the group.</param>
public readonly record struct OutcomeResult(bool Applied, bool Webhooks);

/// <summary>
/// The outcome: one statement ends or reschedules the queue row, updates the recipient, and writes attempt, event and webhook deliveries.
/// Each part draws on the one before it, so a row that is no longer leased to the session changes nothing.
/// </summary>
public sealed class OutcomeWriter : IGroupWrite<Outcome, OutcomeResult>
{
    // The two that were accepted last of those that ended in a delivery or a failure; a test has no attempt and is none. What failed by our fault or a
    // policy, which an earlier failure's class or its enhanced code (x.7.x) tells, is not the address's doing and breaks the row: 1, 2, 3, 4, 16 and 18 are
    // FailureClass, and of these 16 and 18 without a server's reply are our doing.
    private const string BothBeforeFailed = """
        2 = (SELECT count(*) FROM (
          SELECT p.id, p.status FROM recipient p
          WHERE p.account_id = r.account_id AND p.base_address = r.base_address AND p.id <> r.id AND p.status IN (4, 5) AND p.attempts > 0 AND p.accepted_at <= r.accepted_at
          ORDER BY p.accepted_at DESC LIMIT 2) last
          CROSS JOIN LATERAL (SELECT * FROM attempt t WHERE t.recipient_id = last.id ORDER BY t.number DESC LIMIT 1) t
          WHERE last.status = 5 AND (t.failure_class IN (1, 2, 3, 4) OR (t.failure_class IN (16, 18) AND t.smtp_code > 0)) AND coalesce(t.enhanced_code, '') NOT LIKE '_.7.%')
        """;

    private const string Statement = $"""
        WITH o AS (
          SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::smallint[], $6::smallint[], $7::timestamptz[], $8::timestamptz[],
            $9::int[], $10::smallint[], $11::text[], $12::text[], $13::text[], $14::text[], $15::text[], $16::int[], $17::text[], $18::text[], $19::smallint[], $20::text[], $21::smallint[])
          AS o(session_id, recipient_id, attempt_id, event_id, status, type, due_at, at,
            duration_ms, outcome, remote_host, remote_address, tls_version, tls_cipher, tls_verified, smtp_code, enhanced_code, reply, failure_class, conversation, suppression)),
        finished AS (
          DELETE FROM queue q USING o WHERE q.recipient_id = o.recipient_id AND q.session_id = o.session_id AND o.due_at IS NULL
          RETURNING o.attempt_id),
        later AS (
          UPDATE queue q SET session_id = NULL, in_hand = false, due_at = o.due_at, attempts = q.attempts + 1, reclaims = 0
          FROM o WHERE q.recipient_id = o.recipient_id AND q.session_id = o.session_id AND o.due_at IS NOT NULL
          RETURNING o.attempt_id),
        ours AS MATERIALIZED (SELECT attempt_id FROM finished UNION ALL SELECT attempt_id FROM later),
        r AS (
          UPDATE recipient r SET status = o.status, event_sequence = r.event_sequence + 1, attempts = r.attempts + 1, next_attempt_at = o.due_at
          FROM o, ours
          WHERE r.id = o.recipient_id AND ours.attempt_id = o.attempt_id
          RETURNING r.id, r.message_id, r.account_id, r.event_sequence, r.attempts, o.attempt_id, r.address, r.base_address, r.accepted_at),
        a AS (
          INSERT INTO attempt (id, message_id, recipient_id, number, at, duration_ms, outcome, remote_host, remote_address, tls_version, tls_cipher,
            tls_verified, smtp_code, enhanced_code, reply, failure_class, conversation)
          SELECT o.attempt_id, r.message_id, r.id, r.attempts, o.at, o.duration_ms, o.outcome, o.remote_host, o.remote_address, o.tls_version, o.tls_cipher,
            o.tls_verified, o.smtp_code, o.enhanced_code, o.reply, o.failure_class, o.conversation::json
          FROM o JOIN r ON r.attempt_id = o.attempt_id),
        e AS (
          INSERT INTO event (id, account_id, type, at, message_id, recipient_id, sequence, attempt_id)
          SELECT o.event_id, r.account_id, o.type, o.at + make_interval(secs => o.duration_ms / 1000.0), r.message_id, r.id, r.event_sequence, o.attempt_id
          FROM o JOIN r ON r.attempt_id = o.attempt_id
          RETURNING id, account_id, type, at),
        s AS (
          INSERT INTO suppression (account_id, base_address, address, reason, failure_class, detail, recipient_id, created_at)
          SELECT DISTINCT ON (r.account_id, r.base_address) r.account_id, r.base_address, r.address, o.suppression, o.failure_class, left(o.reply, 500), r.id, o.at
          FROM o JOIN r ON r.attempt_id = o.attempt_id WHERE o.suppression = 1 OR (o.suppression = 2 AND {BothBeforeFailed})
          ON CONFLICT (account_id, base_address) DO UPDATE SET reason = excluded.reason, failure_class = excluded.failure_class, detail = excluded.detail,
            recipient_id = excluded.recipient_id, created_at = excluded.created_at, expires_at = NULL
          WHERE suppression.expires_at <= excluded.created_at),
        {EventFanOut.Sql}
        SELECT r.attempt_id, (SELECT count(*) FROM wq) FROM r
        """;

    /// <inheritdoc/>
    public long SizeOf(Outcome item) => 1000 + (item.Attempt.Conversation.Length * 2L);

    /// <inheritdoc/>
    public async Task<OutcomeResult[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<Outcome> group, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Statement, connection);
        // In the order of the index. Two groups have no row in common, since each row is leased to one session, and so need no order among them.
        AddColumns(command, [.. group.OrderBy(o => o.Attempt.RecipientId)]);
        var applied = new HashSet<long>();
        var webhooks = false;
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel))
            {
                applied.Add(reader.GetInt64(0));
                webhooks = reader.GetInt64(1) > 0;
            }
        }
        return group.Select(o => new OutcomeResult(applied.Contains(o.Attempt.Id), webhooks)).ToArray();
    }

    private static void AddColumns(NpgsqlCommand command, Outcome[] group)
    {
        Add(o => o.Session);
        Add(o => o.Attempt.RecipientId);
        Add(o => o.Attempt.Id);
        Add(o => o.EventId);
        Add(o => (short)o.Status);
        Add(o => (short)o.Event);
        Add(o => o.NextAttemptAt);
        Add(o => o.Attempt.At);
        Add(o => o.Attempt.DurationMs);
        Add(o => (short)o.Attempt.Outcome);
        Add(o => o.Attempt.RemoteHost);
        Add(o => o.Attempt.RemoteAddress);
        Add(o => o.Attempt.TlsVersion);
        Add(o => o.Attempt.TlsCipher);
        Add(o => o.Attempt.TlsVerified);
        Add(o => o.Attempt.SmtpCode);
        Add(o => o.Attempt.EnhancedCode);
        Add(o => o.Attempt.Reply);
        Add(o => (short)o.Attempt.FailureClass);
        Add(o => o.Attempt.Conversation);
        Add(o => (short)o.Suppression);
        void Add<TValue>(Func<Outcome, TValue> column) => command.Parameters.Add(new() { Value = group.Select(column).ToArray() });
    }
}
