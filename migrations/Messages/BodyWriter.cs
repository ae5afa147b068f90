using MoxApi.Migrations.Writing;
using Npgsql;
using static MoxApi.Migrations.Writing.Columns;

namespace MoxApi.Migrations.Messages;

/// <summary>Writes bodies: small ones in their row, others in chunks.</summary>
public static class BodyWriter
{
    private const string InsertBodies = "INSERT INTO body (id, size, \"inline\") SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bytea[])";

    private const string InsertChunks = "INSERT INTO body_chunk (body_id, number, bytes) SELECT * FROM unnest($1::bigint[], $2::int[], $3::bytea[])";

    /// <summary>Writes a body within the connection's transaction, with <see cref="Body.ChunksAtOnce"/> chunks in memory at a time.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, long bodyId, BodyContent body, CancellationToken cancel)
    {
        var inline = body is { IsInMemory: true, Size: <= Body.InlineLimit };
        await using var insert = new NpgsqlCommand(InsertBodies, connection)
        {
            Parameters = { new() { Value = new[] { bodyId } }, new() { Value = new[] { body.Size } }, Bytes([inline ? body.Memory.ToArray() : null]) },
        };
        await insert.ExecuteNonQueryAsync(cancel);
        if (inline) return;
        var number = 0;
        var some = new List<Chunk>();
        await foreach (var chunk in body.ChunksAsync(cancel))
        {
            some.Add(new(bodyId, number++, chunk));
            if (some.Count == Body.ChunksAtOnce) await WriteChunksAsync(connection, some, cancel);
        }
        if (some.Count > 0) await WriteChunksAsync(connection, some, cancel);
    }

    private static async Task WriteChunksAsync(NpgsqlConnection connection, List<Chunk> chunks, CancellationToken cancel)
    {
        await using var batch = new NpgsqlBatch(connection);
        AddChunks(batch, chunks);
        await batch.ExecuteNonQueryAsync(cancel);
        chunks.Clear();
    }

    /// <summary>Adds the bodies of a group, which are in memory, to its batch.</summary>
    internal static void Add(NpgsqlBatch batch, IReadOnlyList<Accept> group)
    {
        var inline = new byte[]?[group.Count];
        var chunks = new List<Chunk>();
        for (var i = 0; i < group.Count; i++)
        {
            var body = group[i].Body.Memory;
            if (body.Length <= Body.InlineLimit) inline[i] = body.ToArray();
            else for (var n = 0; n * Body.ChunkSize < body.Length; n++)
                chunks.Add(new(group[i].Message.BodyId, n, body[(n * Body.ChunkSize)..Math.Min(body.Length, (n + 1) * Body.ChunkSize)].ToArray()));
        }
        batch.Add(InsertBodies, Column(group, g => g.Message.BodyId), Column(group, g => g.Body.Size), Bytes(inline));
        foreach (var some in chunks.Chunk(Body.ChunksAtOnce)) AddChunks(batch, some);
    }

    private static void AddChunks(NpgsqlBatch batch, IReadOnlyList<Chunk> chunks) =>
        batch.Add(InsertChunks, Column(chunks, c => c.Body), Column(chunks, c => c.Number), Bytes([.. chunks.Select(c => c.Bytes)]));

    private readonly record struct Chunk(long Body, int Number, byte[] Bytes);
}
