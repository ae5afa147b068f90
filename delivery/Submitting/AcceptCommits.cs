using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery.Submitting;

/// <summary>Commits accepts: small ones in groups, a large one on a connection of its own, and one that came with an Idempotency-Key together with its key and answer.</summary>
internal sealed class AcceptCommits(NpgsqlDataSource database, GroupCommit<Accept, Accepted> groups, GroupCommit<IdempotentAccept, Accepted?> keyedGroups)
{
    /// <summary>Commits a message.</summary>
    /// <exception cref="NoRoomException">Too many wait for PostgreSQL.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public async Task<Accepted> WriteAsync(Accept accept, CancellationToken cancel) =>
        IsLarge(accept) ? await AcceptWriter.WriteLargeAsync(database, accept, cancel) : await groups.WriteAsync(accept);

    /// <summary>Commits a message, its Idempotency-Key and its answer; null where another send has the key, or is about to.</summary>
    /// <exception cref="NoRoomException">Too many wait for PostgreSQL.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public async Task<Accepted?> WriteAsync(IdempotentAccept keyed, CancellationToken cancel) =>
        IsLarge(keyed.Accept) ? await IdempotentAcceptWriter.WriteLargeAsync(database, keyed, cancel) : await keyedGroups.WriteAsync(keyed);

    /// <summary>What was committed under a key within <see cref="IdempotentAnswer.Life"/>, or null.</summary>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public Task<(byte[] Fingerprint, string Answer)?> FindAsync(long accountId, string key, DateTimeOffset now, CancellationToken cancel) =>
        IdempotentAcceptWriter.FindAsync(database, accountId, key, now, cancel);

    private static bool IsLarge(Accept accept) => accept.Body.Size > AcceptWriter.AloneAbove;
}
