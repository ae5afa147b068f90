using System.Runtime.CompilerServices;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>Reads bodies that are not inline.</summary>
public static class StoredBodies
{
    /// <summary>A body chunk by chunk: no transaction and no connection is held while a chunk is on its way out.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync(
        NpgsqlDataSource database, long bodyId, long size, [EnumeratorCancellation] CancellationToken cancel)
    {
        for (var number = 0; (long)number * Body.ChunkSize < size; number++)
        {
            await using var command = database.CreateCommand("SELECT bytes FROM body_chunk WHERE body_id = $1 AND number = $2");
            command.Parameters.Add(new() { Value = bodyId });
            command.Parameters.Add(new() { Value = number });
            yield return await command.ExecuteScalarAsync(cancel) as byte[] ?? throw new InvalidDataException($"Chunk {number} of body {bodyId} is missing.");
        }
    }
}
