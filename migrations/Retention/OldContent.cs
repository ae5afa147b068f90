namespace MoxApi.Migrations.Retention;

/// <summary>Deletes the octets of old messages and the conversations of their attempts; what became of whom stays known.</summary>
internal sealed class OldContent(Batches batches)
{
    // A batch ends also after 64 MiB: a body goes away chunk by chunk, however few messages there are.
    internal const string Statement = $"""
        WITH page AS MATERIALIZED (
          SELECT id, body_id, accepted_at, size FROM message
          WHERE account_id = $1 AND content_deleted_at IS NULL AND direction = 0 AND accepted_at < $2 AND (accepted_at, id) > ($3, $4)
          ORDER BY accepted_at, id LIMIT 1000),
        batch AS (SELECT * FROM (SELECT *, sum(size) OVER (ORDER BY accepted_at, id) - size AS before FROM page) p WHERE before < 67108864),
        due AS (SELECT id, body_id FROM batch b WHERE {OldMessages.IsOver}),
        gone AS (UPDATE message m SET header = '', content_deleted_at = $5 FROM due WHERE m.id = due.id RETURNING m.id, m.body_id),
        inline AS (DELETE FROM body b USING gone WHERE b.id = gone.body_id),
        chunks AS (DELETE FROM body_chunk c USING gone WHERE c.body_id = gone.body_id),
        talks AS (UPDATE attempt a SET conversation = '[]' FROM recipient r, gone WHERE r.message_id = gone.id AND a.recipient_id = r.id)
        SELECT accepted_at, id, (SELECT count(*) FROM gone) FROM batch ORDER BY accepted_at DESC, id DESC LIMIT 1
        """;

    /// <summary>Deletes what of an account was over before a time; returns of how many messages.</summary>
    public Task<int> DeleteAsync(long account, DateTimeOffset before, DateTimeOffset now, CancellationToken stop) =>
        OldMessages.WalkAsync(batches, Statement, place => [account, before, place.At, place.Id, now], stop);
}
