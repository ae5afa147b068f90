using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>
/// Takes back what dead sessions held. Such a recipient may have been delivered, or not: an attempt says so. One that came back three
/// times in a row may be what kills its workers, and is quarantined instead.
/// </summary>
public sealed class Orphans(NpgsqlDataSource database, IdBlocks ids, OutcomeWriter outcomes, TimeProvider time)
{
    /// <summary>Returns after which a recipient is quarantined.</summary>
    public const int QuarantineAt = 3;

    private const int BatchSize = 1000;

    /// <summary>Takes back all recipients whose session is gone; returns their number.</summary>
    public async Task<int> ReturnAsync(NodeSession session, CancellationToken cancel)
    {
        var total = 0;
        int count;
        do
        {
            count = await ReturnBatchAsync(session, cancel);
            total += count;
        }
        while (count == BatchSize);
        return total;
    }

    private async Task<int> ReturnBatchAsync(NodeSession session, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var rows = await LeasedQueue.Mail.LockOrphansAsync(connection, BatchSize, cancel);
        if (rows.Count == 0) return 0;
        var lease = session.Id;
        // The rows become ours for the length of this transaction, so that the one statement for outcomes serves here too.
        await using var take = new NpgsqlCommand("UPDATE queue SET session_id = $1 WHERE recipient_id = ANY ($2)", connection)
        {
            Parameters = { new() { Value = lease }, new() { Value = rows.Select(r => r.Id).ToArray() } },
        };
        await take.ExecuteNonQueryAsync(cancel);
        var first = await ids.ReserveAsync(rows.Count * 2, cancel);
        var now = time.GetUtcNow();
        var results = await outcomes.WriteAsync(connection, rows.Select((r, i) => Interrupted(lease, r.Id, r.Reclaims + 1, first + (i * 2), now)).ToArray(), cancel);
        await using var count = new NpgsqlCommand("""
            UPDATE queue q SET reclaims = o.reclaims FROM unnest($1::bigint[], $2::int[]) AS o(recipient_id, reclaims) WHERE q.recipient_id = o.recipient_id
            """, connection)
        {
            Parameters = { new() { Value = rows.Select(r => r.Id).ToArray() }, new() { Value = rows.Select(r => r.Reclaims + 1).ToArray() } },
        };
        await count.ExecuteNonQueryAsync(cancel);
        await transaction.CommitAsync(cancel);
        if (results.Any(r => r.Webhooks)) session.Wake(Roles.Webhooks);
        return rows.Count;
    }

    private static Outcome Interrupted(long session, long recipient, int reclaims, long firstId, DateTimeOffset now)
    {
        var quarantined = reclaims >= QuarantineAt;
        var attempt = new Attempt
        {
            Id = firstId,
            RecipientId = recipient,
            At = now,
            Outcome = AttemptOutcome.Interrupted,
            Reply = "The node that held the message died or was cut off; whether the message was delivered is not known.",
            FailureClass = FailureClass.Interrupted,
            Conversation = "[]",
        };
        return new(session, attempt, firstId + 1, quarantined ? RecipientStatus.Quarantined : RecipientStatus.Delayed, quarantined ? null : now);
    }
}
