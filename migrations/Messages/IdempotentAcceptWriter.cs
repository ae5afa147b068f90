using MoxApi.Migrations.Writing;
using Npgsql;
using static MoxApi.Migrations.Writing.Columns;

namespace MoxApi.Migrations.Messages;

/// <summary>A message that came with an Idempotency-Key.</summary>
/// <param name="Accept">The message.</param>
/// <param name="Answer">The key, and the answer where all recipients become what is wanted.</param>
/// <param name="MakeAnswer">Makes the answer anew where some do not.</param>
public sealed record IdempotentAccept(Accept Accept, IdempotentAnswer Answer, Func<string> MakeAnswer);

/// <summary>
/// The accept of messages that came with an Idempotency-Key: keys, answers and messages are committed together or not at all, so a client that
/// lost our answer, or our node, can send again. Null is the result where another has the key, who has committed it or is about to.
/// </summary>
public sealed class IdempotentAcceptWriter : IGroupWrite<IdempotentAccept, Accepted?>
{
    // Two who write one key at once do not wait for each other, for that may take as long as a large message: the second does not get the lock, which
    // is held until the commit. A key that has outlived its time is taken over as if it were new.
    private const string Claim = """
        WITH wanted AS MATERIALIZED (
          SELECT *, pg_try_advisory_xact_lock(hashtextextended('moxapi:idempotency:' || account_id || ':' || key, 0)) AS free
          FROM unnest($1::bigint[], $2::text[], $3::bytea[], $4::text[], $5::timestamptz[]) AS u(account_id, key, fingerprint, answer, created_at))
        INSERT INTO idempotent_answer AS i (account_id, key, fingerprint, answer, created_at)
        SELECT account_id, key, fingerprint, answer, created_at FROM wanted WHERE free
        ON CONFLICT (account_id, key) DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer, created_at = excluded.created_at
        WHERE i.created_at < excluded.created_at - make_interval(secs => $6)
        RETURNING account_id, key
        """;

    private const string SetAnswers = """
        UPDATE idempotent_answer i SET answer = u.answer FROM unnest($1::bigint[], $2::text[], $3::text[]) AS u(account_id, key, answer)
        WHERE i.account_id = u.account_id AND i.key = u.key
        """;

    // A key takes a lock until the commit, of which a small server has a few thousand for all its sessions.
    private const int MaxGroup = 250;

    private readonly AcceptWriter accepts = new();

    /// <summary>Looks for what was committed under a key and has not outlived its time.</summary>
    public static async Task<(byte[] Fingerprint, string Answer)?> FindAsync(NpgsqlDataSource database, long accountId, string key, DateTimeOffset now, CancellationToken cancel)
    {
        await using var find = database.CreateCommand("SELECT fingerprint, answer FROM idempotent_answer WHERE account_id = $1 AND key = $2 AND created_at >= $3");
        foreach (var value in new object[] { accountId, key, now - IdempotentAnswer.Life }) find.Parameters.Add(new() { Value = value });
        await using var reader = await find.ExecuteReaderAsync(cancel);
        return await reader.ReadAsync(cancel) ? (reader.GetFieldValue<byte[]>(0), reader.GetString(1)) : null;
    }

    /// <inheritdoc/>
    public long SizeOf(IdempotentAccept item) =>
        Math.Max(GroupCommit<IdempotentAccept, Accepted?>.GroupBytes / MaxGroup, accepts.SizeOf(item.Accept) + item.Answer.Answer.Length);

    /// <inheritdoc/>
    public async Task<Accepted?[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<IdempotentAccept> group, CancellationToken cancel)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        var claimed = await ClaimAsync(connection, group, cancel);
        var results = new Accepted?[group.Count];
        if (claimed.Count > 0)
        {
            var accepted = await accepts.WriteAsync(connection, claimed.ConvertAll(place => group[place].Accept), cancel);
            for (var i = 0; i < claimed.Count; i++) results[claimed[i]] = accepted[i];
            await SetAnswersAsync(connection, claimed.Where(place => results[place]!.Value.Changed).Select(place => group[place]).ToList(), cancel);
        }
        await transaction.CommitAsync(cancel);
        return results;
    }

    /// <summary>Writes a message with a large body, chunk by chunk, on a connection of its own.</summary>
    public static async Task<Accepted?> WriteLargeAsync(NpgsqlDataSource database, IdempotentAccept item, CancellationToken cancel)
    {
        await using var connection = await database.OpenConnectionAsync(cancel);
        await using var transaction = await connection.BeginTransactionAsync(cancel);
        if (await ClaimAsync(connection, [item], cancel) is []) return null;
        var accepted = await AcceptWriter.WriteLargeAsync(connection, item.Accept, cancel);
        if (accepted.Changed) await SetAnswersAsync(connection, [item], cancel);
        // The caller may not leave between the commit and its answer.
        await transaction.CommitAsync(CancellationToken.None);
        return accepted;
    }

    // Where in the group those are whose keys are theirs now.
    private static async Task<List<int>> ClaimAsync(NpgsqlConnection connection, IReadOnlyList<IdempotentAccept> group, CancellationToken cancel)
    {
        // Of two with one key the first may have it.
        var places = new Dictionary<(long, string), int>();
        for (var place = 0; place < group.Count; place++) places.TryAdd((group[place].Answer.AccountId, group[place].Answer.Key), place);
        var answers = places.Values.Select(place => group[place].Answer).ToList();
        await using var claim = new NpgsqlCommand(Claim, connection)
        {
            Parameters =
            {
                Column(answers, a => a.AccountId), Column(answers, a => a.Key), Column(answers, a => a.Fingerprint), Column(answers, a => a.Answer), Column(answers, a => a.CreatedAt),
                new() { Value = IdempotentAnswer.Life.TotalSeconds }, // As hours: what PostgreSQL has for a day has 23 to 25.
            },
        };
        await using var reader = await claim.ExecuteReaderAsync(cancel);
        var claimed = new List<int>();
        while (await reader.ReadAsync(cancel)) claimed.Add(places[(reader.GetInt64(0), reader.GetString(1))]);
        return claimed;
    }

    private static async Task SetAnswersAsync(NpgsqlConnection connection, List<IdempotentAccept> changed, CancellationToken cancel)
    {
        if (changed.Count == 0) return;
        await using var set = new NpgsqlCommand(SetAnswers, connection)
        {
            Parameters = { Column(changed, c => c.Answer.AccountId), Column(changed, c => c.Answer.Key), Column(changed, c => c.MakeAnswer()) },
        };
        await set.ExecuteNonQueryAsync(cancel);
    }
}
