using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>What somebody does to recipients that are not finished, without an attempt.</summary>
public enum RecipientChange : short
{
    /// <summary>Ends it: the address is on the suppression list.</summary>
    Suppress = 1,

    /// <summary>Ends it, because its sender no longer wants it.</summary>
    Cancel = 2,

    /// <summary>Keeps it in the queue, but untouched until it is released: where its account or domain is stopped at that moment.</summary>
    Hold = 3,

    /// <summary>Ends a hold.</summary>
    Release = 4,

    /// <summary>Gives it another time, before its first attempt.</summary>
    Reschedule = 5,
}

/// <summary>
/// Changes unfinished recipients: queue row, recipient, event and its webhooks in one statement, as <see cref="OutcomeWriter"/> does for attempts. A
/// row that a worker holds is left alone, unless the worker itself asks with its session.
/// </summary>
/// <param name="database">Where they are.</param>
/// <param name="ids">For the events.</param>
/// <param name="time">The clock of the events.</param>
/// <param name="session">Wakes who has to act on the change; a command line, which has none, leaves that to their polls.</param>
public sealed class RecipientChanges(NpgsqlDataSource database, IdBlocks ids, TimeProvider time, NodeSession? session = null)
{
    /// <summary>Recipients of a statement.</summary>
    public const int BatchSize = 1000;

    /// <summary>Whether an account <c>a</c> or the author's domain <c>d</c> may not send for now.</summary>
    public const string IsStopped = "(a.suspended_at IS NOT NULL OR a.paused_at IS NOT NULL OR d.suspended_at IS NOT NULL)";

    // Each part draws on the one before it, so a row that is finished, leased to another, or already as it is to be changes nothing.
    // Who asks for a hold has read some time ago that the sender is stopped; so it is looked up again.
    // Rows are locked in the order of ids: a join alone takes them in whatever order its plan reads them, and two that meet would wait for each other.
    // MATERIALIZED, so that it is remembered: an inlined union would be run once more for a recipient that another change has touched meanwhile, which for what
    // it stands on is an error (EvalPlanQual).
    // 1 to 5 are RecipientChange; statuses are RecipientStatus, types EventType. What goes on in the queue is shown by what it was: tried before, for later, or neither.
    private const string Statement = $"""
        WITH c AS (SELECT * FROM unnest($1::bigint[], $2::bigint[]) AS c(recipient_id, event_id)),
        mine AS MATERIALIZED (
          SELECT q.recipient_id, c.event_id FROM queue q JOIN c ON c.recipient_id = q.recipient_id WHERE q.session_id IS NOT DISTINCT FROM $3 ORDER BY q.recipient_id FOR UPDATE OF q),
        gone AS (
          DELETE FROM queue q USING mine c WHERE q.recipient_id = c.recipient_id AND q.session_id IS NOT DISTINCT FROM $3 AND $4 IN (1, 2)
          RETURNING q.recipient_id, c.event_id, CASE $4 WHEN 1 THEN 6 ELSE 7 END AS status, NULL::timestamptz AS due_at),
        kept AS (
          UPDATE queue q SET session_id = NULL, in_hand = false, held = CASE $4 WHEN 3 THEN true WHEN 4 THEN false ELSE q.held END, due_at = coalesce($5, q.due_at),
            expires_at = CASE WHEN $5 IS NULL THEN q.expires_at ELSE $5 + (q.expires_at - q.due_at) END
          FROM mine c WHERE q.recipient_id = c.recipient_id AND q.session_id IS NOT DISTINCT FROM $3
            AND (($4 = 3 AND NOT q.held AND EXISTS (
                SELECT 1 FROM recipient r JOIN message m ON m.id = r.message_id JOIN account a ON a.id = r.account_id LEFT JOIN domain d ON d.id = m.domain_id
                WHERE r.id = q.recipient_id AND {IsStopped})) OR ($4 = 4 AND q.held) OR ($4 = 5 AND q.attempts = 0))
          RETURNING q.recipient_id, c.event_id, CASE WHEN q.held THEN 2 WHEN q.attempts > 0 THEN 3 WHEN q.due_at > $6 THEN 1 ELSE 0 END AS status,
            CASE WHEN NOT q.held THEN q.due_at END AS due_at),
        done AS MATERIALIZED (SELECT * FROM gone UNION ALL SELECT * FROM kept),
        r AS (
          UPDATE recipient r SET status = done.status, event_sequence = r.event_sequence + 1, next_attempt_at = done.due_at
          FROM done WHERE r.id = done.recipient_id
          RETURNING r.id, r.message_id, r.account_id, r.event_sequence, r.status, done.event_id),
        e AS (
          INSERT INTO event (id, account_id, type, at, message_id, recipient_id, sequence, detail)
          SELECT event_id, account_id, CASE $4 WHEN 1 THEN 6 WHEN 2 THEN 7 WHEN 3 THEN 8 ELSE 2 END, $6, message_id, id, event_sequence,
            CASE WHEN $4 IN (4, 5) THEN json_build_object('status', status) END FROM r
          RETURNING id, account_id, type, at),
        {EventFanOut.Sql}
        SELECT r.id, (SELECT count(*) FROM wq) FROM r
        """;

    /// <summary>Changes recipients; returns those that were. Up to <see cref="BatchSize"/> at a time are one transaction.</summary>
    /// <param name="recipients">Whom.</param>
    /// <param name="change">What is done to them.</param>
    /// <param name="lease">The session whose worker holds them; null: only those that nobody holds are changed.</param>
    /// <param name="dueAt">The new time, for <see cref="RecipientChange.Reschedule"/> alone.</param>
    /// <param name="cancel">Gives up between transactions.</param>
    public async Task<List<long>> ApplyAsync(IEnumerable<long> recipients, RecipientChange change, long? lease, DateTimeOffset? dueAt, CancellationToken cancel)
    {
        var changed = new List<long>();
        var webhooks = false;
        // Sorted, so that the batches of two that meet come in the same order too.
        foreach (var batch in recipients.Order().Chunk(BatchSize))
        {
            var (done, posted) = await Deadlock.RetryAsync(stop => ApplyAsync(batch, change, lease, dueAt, stop), cancel);
            changed.AddRange(done);
            webhooks |= posted;
        }

        Wake(change, webhooks, changed.Count);
        return changed;
    }

    /// <summary>Cancels, holds or releases what an account has unfinished; returns how many.</summary>
    public async Task<int> ApplyToAccountAsync(long account, RecipientChange change, CancellationToken cancel)
    {
        var total = 0;
        foreach (var status in StatusesFor(change))
        {
            var (at, message, recipient) = (DateTimeOffset.UnixEpoch, 0L, 0L);
            while (await UnfinishedAsync(account, status, change, at, message, recipient, cancel) is { Count: > 0 } page)
            {
                total += (await ApplyAsync(page.Select(p => p.Recipient), change, null, null, cancel)).Count;
                (at, message, recipient) = page[^1];
            }
        }

        return total;
    }

    /// <summary>Cancels, holds or releases what is queued from a domain, whoever sent it; returns how many.</summary>
    public async Task<int> ApplyToDomainAsync(long domain, RecipientChange change, CancellationToken cancel)
    {
        var total = 0;
        foreach (var held in HeldFor(change))
        {
            var last = 0L;
            while (await QueuedAsync(domain, held, change, last, cancel) is { Count: > 0 } page)
            {
                total += (await ApplyAsync(page, change, null, null, cancel)).Count;
                last = page[^1];
            }
        }

        return total;
    }

    private static RecipientStatus[] StatusesFor(RecipientChange change) => change switch
    {
        RecipientChange.Hold => [RecipientStatus.Queued, RecipientStatus.Scheduled, RecipientStatus.Delayed],
        RecipientChange.Release => [RecipientStatus.Held],
        RecipientChange.Cancel => [RecipientStatus.Queued, RecipientStatus.Scheduled, RecipientStatus.Delayed, RecipientStatus.Held],
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "Only what needs nothing else to be known."),
    };

    private static bool[] HeldFor(RecipientChange change) => change switch
    {
        RecipientChange.Hold => [false],
        RecipientChange.Release => [true],
        RecipientChange.Cancel => [false, true],
        _ => throw new ArgumentOutOfRangeException(nameof(change), change, "Only what needs nothing else to be known."),
    };

    // By the index over an account's recipients of a status. What is still stopped for another reason is not released.
    private async Task<List<(DateTimeOffset At, long Message, long Recipient)>> UnfinishedAsync(
        long account, RecipientStatus status, RecipientChange change, DateTimeOffset at, long message, long recipient, CancellationToken cancel)
    {
        await using var command = database.CreateCommand($"""
            SELECT r.accepted_at, r.message_id, r.id FROM recipient r JOIN message m ON m.id = r.message_id
              JOIN account a ON a.id = r.account_id LEFT JOIN domain d ON d.id = m.domain_id
            WHERE r.account_id = $1 AND r.status = $2 AND (r.accepted_at, r.message_id, r.id) > ($3, $4, $5)
              {(change == RecipientChange.Release ? $"AND NOT {IsStopped}" : "")}
            ORDER BY r.accepted_at, r.message_id, r.id LIMIT {BatchSize}
            """);
        foreach (var value in new object[] { account, (short)status, at, message, recipient }) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var page = new List<(DateTimeOffset, long, long)>();
        while (await reader.ReadAsync(cancel)) page.Add((reader.GetFieldValue<DateTimeOffset>(0), reader.GetInt64(1), reader.GetInt64(2)));
        return page;
    }

    // By the index over a domain's queue rows, in which what is held is apart.
    private async Task<List<long>> QueuedAsync(long domain, bool held, RecipientChange change, long last, CancellationToken cancel)
    {
        var mayGoOn = $"AND EXISTS (SELECT 1 FROM recipient r JOIN account a ON a.id = r.account_id JOIN domain d ON d.id = $1 WHERE r.id = q.recipient_id AND NOT {IsStopped})";
        await using var command = database.CreateCommand($"""
            SELECT q.recipient_id FROM queue q WHERE q.domain_id = $1 AND q.held = $2 AND q.recipient_id > $3 {(change == RecipientChange.Release ? mayGoOn : "")}
            ORDER BY q.recipient_id LIMIT {BatchSize}
            """);
        foreach (var value in new object[] { domain, held, last }) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var page = new List<long>();
        while (await reader.ReadAsync(cancel)) page.Add(reader.GetInt64(0));
        return page;
    }

    private async Task<(List<long> Changed, bool Webhooks)> ApplyAsync(
        long[] recipients, RecipientChange change, long? lease, DateTimeOffset? dueAt, CancellationToken cancel)
    {
        var first = await ids.ReserveAsync(recipients.Length, cancel);
        await using var command = database.CreateCommand(Statement);
        command.Parameters.Add(new() { Value = recipients });
        command.Parameters.Add(new() { Value = recipients.Select((_, i) => first + i).ToArray() });
        command.Parameters.Add(new() { Value = (object?)lease ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = (short)change });
        command.Parameters.Add(new() { Value = (object?)dueAt ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = time.GetUtcNow() });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var changed = new List<long>();
        var webhooks = false;
        while (await reader.ReadAsync(cancel))
        {
            changed.Add(reader.GetInt64(0));
            webhooks = reader.GetInt64(1) > 0;
        }

        return (changed, webhooks);
    }

    private void Wake(RecipientChange change, bool webhooks, int changed)
    {
        if (webhooks) session?.Wake(Roles.Webhooks);
        if (changed > 0 && change is RecipientChange.Release or RecipientChange.Reschedule) session?.Wake(Roles.Delivery);
    }
}
