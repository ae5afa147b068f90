using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery.Submitting;

/// <summary>Commits accepts: small ones in groups, a large one on a connection of its own, and one whose sender named it together with its name and answer.</summary>
internal sealed class AcceptCommits(NpgsqlDataSource database, GroupCommit<Accept, Accepted> groups, GroupCommit<IdempotentAccept, Accepted?> namedGroups)
{
    /// <summary>Commits a message.</summary>
    /// <exception cref="NoRoomException">Too many wait for PostgreSQL.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public async Task<Accepted> WriteAsync(Accept accept, CancellationToken cancel) =>
        IsLarge(accept) ? await AcceptWriter.WriteLargeAsync(database, accept, cancel) : await groups.WriteAsync(accept);

    /// <summary>Commits a message, its name and its answer; null where another send has the name, or is about to.</summary>
    /// <exception cref="NoRoomException">Too many wait for PostgreSQL.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public async Task<Accepted?> WriteAsync(IdempotentAccept named, CancellationToken cancel) =>
        IsLarge(named.Accept) ? await IdempotentAcceptWriter.WriteLargeAsync(database, named, cancel) : await namedGroups.WriteAsync(named);

    /// <summary>What was committed under a name within <see cref="IdempotentAnswer.Life"/>, or null.</summary>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public Task<(byte[] Fingerprint, string Answer)?> FindAsync(long accountId, string key, DateTimeOffset now, CancellationToken cancel) =>
        IdempotentAcceptWriter.FindAsync(database, accountId, key, now, cancel);

    private static bool IsLarge(Accept accept) => accept.Body.Size > AcceptWriter.AloneAbove;
}
