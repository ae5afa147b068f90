using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>What became of a send with a key.</summary>
public enum IdempotentOutcome
{
    /// <summary>It is committed, and its answer is kept.</summary>
    Committed,

    /// <summary>The same was sent before: here is the answer from then.</summary>
    Replayed,

    /// <summary>The key was used for something else.</summary>
    Mismatch,

    /// <summary>The same key is being written just now, on this node or another.</summary>
    InProgress,
}

/// <summary>
/// Accepts messages whose sender named the send, each in a transaction of its own: key, answer and message are committed together or not at all,
/// so a client that lost our answer, or our node, can send again.
/// </summary>
public static class IdempotentAccept
{
    // A key that has outlived its time is taken over as if it were new.
    private const string Claim = """
        INSERT INTO idempotent_answer AS i (account_id, key, fingerprint, answer, created_at) VALUES ($1, $2, $3, $4, $5)
        ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at
        WHERE i.created_at < excluded.created_at - $6
        """;

    // Held until the commit. Without it the second of two equal requests would wait for the first; it is told so instead.
    private const string TryLock = "SELECT pg_try_advisory_xact_lock(hashtextextended('moxapi:idempotency:' || $1::text || ':' || $2, 0))";

    /// <summary>What is known of a key.</summary>
    /// <returns><see cref="IdempotentOutcome.Committed"/> stands for nothing.</returns>
    public static async Task<(IdempotentOutcome Outcome, string? Answer)> FindAsync(
        NpgsqlDataSource database, IdempotentAnswer wanted, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        return await FindAsync(connection, wanted, cancel);
    }

    /// <summary>Writes message, key and answer in one transaction, unless the key is known.</summary>
    /// <param name="database">Where to.</param>
    /// <param name="item">The message.</param>
    /// <param name="answer">The key, and the answer where all recipients become what is wanted.</param>
    /// <param name="makeAnswer">Makes the answer anew where some do not.</param>
    /// <param name="cancel">Gives up where nothing was committed yet.</param>
    public static async Task<(IdempotentOutcome Outcome, string? Answer, Accepted Accepted)> WriteAsync(
        NpgsqlDataSource database, Accept item, IdempotentAnswer answer, Func<string> makeAnswer, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        await using (var tryLock = new NpgsqlCommand(TryLock, connection) { Parameters = { new() { Value = answer.AccountId }, new() { Value = answer.Key } } })
        {
            if (await tryLock.ExecuteScalarAsync(cancel) is not true) return (IdempotentOutcome.InProgress, null, default);
        }
        if (!await ClaimAsync(connection, answer, cancel))
        {
            var known = await FindAsync(connection, answer, cancel);
            return (known.Outcome, known.Answer, default);
        }
        await BodyWriter.WriteAsync(connection, item.Message.BodyId, item.Body, cancel);
        var accepted = await AcceptWriter.WriteRowsAsync(connection, item, cancel);
        if (accepted.Changed) await SetAnswerAsync(connection, answer, makeAnswer(), cancel);
        // The caller may not leave between the commit and its answer.
        await transaction.CommitAsync(CancellationToken.None);
        return (IdempotentOutcome.Committed, null, accepted);
    }

    private static async Task SetAnswerAsync(NpgsqlConnection connection, IdempotentAnswer known, string answer, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand("UPDATE idempotent_answer SET answer = $3 WHERE account_id = $1 AND key = $2", connection)
        {
            Parameters = { new() { Value = known.AccountId }, new() { Value = known.Key }, new() { Value = answer } },
        };
        await command.ExecuteNonQueryAsync(cancel);
    }

    private static async Task<bool> ClaimAsync(NpgsqlConnection connection, IdempotentAnswer answer, CancellationToken cancel)
    {
        await using var claim = new NpgsqlCommand(Claim, connection)
        {
            Parameters =
            {
                new() { Value = answer.AccountId }, new() { Value = answer.Key }, new() { Value = answer.Fingerprint }, new() { Value = answer.Answer },
                new() { Value = answer.CreatedAt }, new() { Value = IdempotentAnswer.Life },
            },
        };
        return await claim.ExecuteNonQueryAsync(cancel) == 1;
    }

    private static async Task<(IdempotentOutcome Outcome, string? Answer)> FindAsync(NpgsqlConnection connection, IdempotentAnswer wanted, CancellationToken cancel)
    {
        await using var find = new NpgsqlCommand("SELECT fingerprint, answer FROM idempotent_answer WHERE account_id = $1 AND key = $2 AND created_at >= $3", connection)
        {
            Parameters = { new() { Value = wanted.AccountId }, new() { Value = wanted.Key }, new() { Value = wanted.CreatedAt - IdempotentAnswer.Life } },
        };
        await using var reader = await find.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel)) return (IdempotentOutcome.Committed, null);
        return reader.GetFieldValue<byte[]>(0).AsSpan().SequenceEqual(wanted.Fingerprint) ? (IdempotentOutcome.Replayed, reader.GetString(1)) : (IdempotentOutcome.Mismatch, null);
    }
}
