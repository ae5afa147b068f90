using MoxApi.Migrations.Messages;

namespace MoxApi.Migrations.Retention;

/// <summary>Deletes old messages with all that belongs to them: recipients, attempts, events and their webhook deliveries.</summary>
internal sealed class OldMessages(Batches batches)
{
    /// <summary>
    /// Whether a message <c>b</c> was over before the time <c>$2</c>: no recipient is on the way, nothing happened since, and it is in nobody's mailbox. The
    /// numbers are <see cref="RecipientStatus"/>.
    /// </summary>
    internal const string IsOver = """
        NOT EXISTS (SELECT FROM recipient r WHERE r.message_id = b.id AND r.status IN (0, 1, 2, 3))
        AND NOT EXISTS (SELECT FROM event e WHERE e.message_id = b.id AND e.at >= $2)
        AND NOT EXISTS (SELECT FROM mailbox_message k WHERE k.message_id = b.id)
        """;

    // By the recipients of one status at a time, whose index has neither what is on the way nor what was received.
    internal const string OfStatus = $"""
        WITH page AS MATERIALIZED (
          SELECT accepted_at, message_id AS id FROM recipient
          WHERE account_id = $1 AND status = $5 AND accepted_at < $2 AND (accepted_at, message_id) > ($3, $4)
          ORDER BY accepted_at, message_id LIMIT 1000),
        due AS (
          SELECT DISTINCT id FROM page b WHERE {IsOver}
          AND NOT EXISTS (SELECT FROM event e JOIN webhook_delivery d ON d.event_id = e.id WHERE e.message_id = b.id AND d.status = 0)),
        {Delete}
        SELECT accepted_at, id, (SELECT count(*) FROM gone) FROM page ORDER BY accepted_at DESC, id DESC LIMIT 1
        """;

    // Whatever there is, for an account that goes away itself, but for what a worker has in hand; in batches of up to 64 MiB, as with OldContent. All others lock the
    // rows of queues ahead of what these are about, so this does too.
    internal const string OfAccount = $"""
        WITH page AS MATERIALIZED (
          SELECT id, direction, accepted_at, size FROM message m WHERE account_id = $1 AND NOT EXISTS (
            SELECT FROM recipient r JOIN queue q ON q.recipient_id = r.id WHERE r.message_id = m.id AND q.session_id IS NOT NULL)
          ORDER BY direction, accepted_at, id LIMIT 1000),
        batch AS MATERIALIZED (SELECT id FROM (SELECT *, sum(size) OVER (ORDER BY direction, accepted_at, id) - size AS before FROM page) p WHERE before < 67108864),
        queued AS MATERIALIZED (
          SELECT 1 FROM batch b JOIN recipient r ON r.message_id = b.id JOIN queue q ON q.recipient_id = r.id ORDER BY q.recipient_id FOR UPDATE OF q),
        posting AS MATERIALIZED (
          SELECT 1 FROM batch b JOIN event e ON e.message_id = b.id JOIN webhook_delivery d ON d.event_id = e.id JOIN webhook_queue w ON w.delivery_id = d.id
          ORDER BY w.delivery_id FOR UPDATE OF w),
        due AS (SELECT id FROM batch WHERE (SELECT count(*) FROM queued) + (SELECT count(*) FROM posting) >= 0),
        {Delete}
        SELECT count(*) FROM gone
        """;

    // Bodies of received messages may belong to other accounts' too: OrphanedBodies finds those that belong to none.
    private const string Delete = """
        gone AS (DELETE FROM message m USING due WHERE m.id = due.id RETURNING m.id, m.body_id, m.direction),
        r AS (DELETE FROM recipient r USING gone WHERE r.message_id = gone.id RETURNING r.id),
        q AS (DELETE FROM queue q USING r WHERE q.recipient_id = r.id),
        a AS (DELETE FROM attempt a USING r WHERE a.recipient_id = r.id),
        e AS (DELETE FROM event e USING gone WHERE e.message_id = gone.id RETURNING e.id),
        d AS (DELETE FROM webhook_delivery d USING e WHERE d.event_id = e.id RETURNING d.id),
        w AS (DELETE FROM webhook_queue w USING d WHERE w.delivery_id = d.id),
        inline AS (DELETE FROM body b USING gone WHERE b.id = gone.body_id AND gone.direction = 0),
        chunks AS (DELETE FROM body_chunk c USING gone WHERE c.body_id = gone.body_id AND gone.direction = 0)
        """;

    private static readonly RecipientStatus[] Finished =
        [RecipientStatus.Delivered, RecipientStatus.Failed, RecipientStatus.Suppressed, RecipientStatus.Canceled, RecipientStatus.Quarantined];

    /// <summary>Deletes what of an account was over before a time; returns how many messages.</summary>
    public async Task<int> DeleteAsync(long account, DateTimeOffset before, CancellationToken stop)
    {
        var total = 0;
        foreach (var status in Finished) total += await WalkAsync(batches, OfStatus, place => [account, before, place.At, place.Id, (short)status], stop);
        return total;
    }

    /// <summary>Deletes all messages of an account that nobody has in hand.</summary>
    public Task<int> DeleteAllAsync(long account, CancellationToken stop) => batches.RepeatAsync(OfAccount, stop, account);

    /// <summary>Walks in the order of time, a batch after the other, past what must stay.</summary>
    internal static async Task<int> WalkAsync(Batches batches, string statement, Func<(DateTimeOffset At, long Id), object[]> parameters, CancellationToken stop)
    {
        var total = 0;
        (DateTimeOffset At, long Id)? place = (DateTimeOffset.UnixEpoch, 0);
        while (place is { } from)
        {
            var page = await batches.RunAsync(statement, row => (At: row.GetFieldValue<DateTimeOffset>(0), Id: row.GetInt64(1), Deleted: row.GetInt64(2)), stop, parameters(from));
            place = page is { } last ? (last.At, last.Id) : null;
            total += (int)(page?.Deleted ?? 0);
        }
        return total;
    }
}
