using System.Runtime.CompilerServices;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>Reads bodies that are not inline.</summary>
public static class StoredBodies
{
    /// <summary>A body, some chunks at a time: no transaction and no connection is held while they are on their way out.</summary>
    /// <exception cref="InvalidDataException">A chunk is missing.</exception>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync(
        NpgsqlDataSource database, long bodyId, long size, [EnumeratorCancellation] CancellationToken cancel)
    {
        var (number, read) = (0, 0L);
        while (read < size)
        {
            var chunks = await ReadAsync(database, bodyId, number, cancel);
            if (chunks.Count == 0) throw new InvalidDataException($"Chunk {number} of body {bodyId} is missing.");
            foreach (var chunk in chunks)
            {
                yield return chunk;
                read += chunk.Length;
            }
            number += chunks.Count;
        }
    }

    // As far as none is missing.
    private static async Task<List<byte[]>> ReadAsync(NpgsqlDataSource database, long bodyId, int from, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("SELECT number, bytes FROM body_chunk WHERE body_id = $1 AND number >= $2 ORDER BY number LIMIT $3");
        command.Parameters.Add(new() { Value = bodyId });
        command.Parameters.Add(new() { Value = from });
        command.Parameters.Add(new() { Value = Body.ChunksAtOnce });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var chunks = new List<byte[]>();
        while (await reader.ReadAsync(cancel) && reader.GetInt32(0) == from + chunks.Count) chunks.Add(reader.GetFieldValue<byte[]>(1));
        return chunks;
    }
}
