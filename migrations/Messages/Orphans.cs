using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>
/// Takes back what dead sessions held. Such a recipient may have been delivered, or not: an attempt says so, and from then on it is suspected to be what
/// kills its workers. A worker marks a suspect before it begins with it; one that comes back unmarked is not to blame, and one that was in hand each time
/// its node died is quarantined.
/// </summary>
public sealed class Orphans(NpgsqlDataSource database, IdBlocks ids, OutcomeWriter outcomes, TimeProvider time)
{
    /// <summary>Returns after which a recipient is quarantined.</summary>
    public const int QuarantineAt = 3;

    private const int BatchSize = 1000;

    // Suspects that were in hand together come back apart: so the innocent are through before the one that kills has its turn again.
    private static readonly TimeSpan Apart = TimeSpan.FromSeconds(10);

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
        var rows = await OrphanedRows.LockMailAsync(connection, BatchSize, cancel);
        if (rows.Count == 0) return 0;
        var tried = rows.Where(r => r.Reclaims == 0 || r.InHand).ToArray();
        await FreeAsync(connection, rows.Except(tried).Select(r => r.Id).ToArray(), cancel);
        var webhooks = tried.Length > 0 && await InterruptAsync(connection, session.Id, tried, cancel);
        await transaction.CommitAsync(cancel);
        if (webhooks) session.Wake(Roles.Webhooks);
        return rows.Count;
    }

    private static async Task FreeAsync(NpgsqlConnection connection, long[] untouched, CancellationToken cancel)
    {
        if (untouched.Length == 0) return;
        await using var free = new NpgsqlCommand("UPDATE queue SET session_id = NULL WHERE recipient_id = ANY ($1)", connection) { Parameters = { new() { Value = untouched } } };
        await free.ExecuteNonQueryAsync(cancel);
    }

    private async Task<bool> InterruptAsync(NpgsqlConnection connection, long lease, OrphanedRow[] rows, CancellationToken cancel)
    {
        // The rows become ours for the length of this transaction, so that the one statement for outcomes serves here too.
        await using var take = new NpgsqlCommand("UPDATE queue SET session_id = $1 WHERE recipient_id = ANY ($2)", connection)
        {
            Parameters = { new() { Value = lease }, new() { Value = rows.Select(r => r.Id).ToArray() } },
        };
        await take.ExecuteNonQueryAsync(cancel);
        var first = await ids.ReserveAsync(rows.Length * 2, cancel);
        var now = time.GetUtcNow();
        var results = await outcomes.WriteAsync(connection, rows.Select((r, i) => Interrupted(lease, r.Id, r.Reclaims + 1, first + (i * 2), now)).ToArray(), cancel);
        await using var count = new NpgsqlCommand("""
            UPDATE queue q SET reclaims = o.reclaims, in_hand = false FROM unnest($1::bigint[], $2::int[]) AS o(recipient_id, reclaims) WHERE q.recipient_id = o.recipient_id
            """, connection)
        {
            Parameters = { new() { Value = rows.Select(r => r.Id).ToArray() }, new() { Value = rows.Select(r => r.Reclaims + 1).ToArray() } },
        };
        await count.ExecuteNonQueryAsync(cancel);
        return results.Any(r => r.Webhooks);
    }

    private static Outcome Interrupted(long session, long recipient, int reclaims, long firstId, DateTimeOffset now)
    {
        DateTimeOffset? due = reclaims >= QuarantineAt ? null : reclaims > 1 ? now + (Apart * Random.Shared.NextDouble()) : now;
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
        return new(session, attempt, firstId + 1, due is null ? RecipientStatus.Quarantined : RecipientStatus.Delayed, due);
    }
}
