using MoxApi.Api.Problems;
using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Errors;
using Npgsql;

namespace MoxApi.Api.Messages;

/// <summary>Reads the octets of a stored message: the header, then the body, a chunk at a time.</summary>
internal sealed class MessageReader(NpgsqlDataSource database)
{
    /// <summary>A message of an account; null where there is none of this id.</summary>
    /// <exception cref="RefusalException">Its content was deleted.</exception>
    public async Task<RawMessage?> ReadAsync(long account, long message, string publicId, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("""
            SELECT m.header, m.size, m.body_id, b.size, b."inline", m.content_deleted_at IS NOT NULL
            FROM message m LEFT JOIN body b ON b.id = m.body_id WHERE m.id = $1 AND m.account_id = $2
            """);
        command.Parameters.Add(new() { Value = message });
        command.Parameters.Add(new() { Value = account });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        if (!await reader.ReadAsync(cancel)) return null;
        if (reader.GetBoolean(5)) throw new RefusalException(new(StatusCodes.Status410Gone, ErrorCodes.ContentDeleted, "The message's octets were deleted."));
        var (header, bodyId, bodySize) = (reader.GetFieldValue<byte[]>(0), reader.GetInt64(2), reader.GetInt64(3));
        var inline = reader.IsDBNull(4) ? null : reader.GetFieldValue<byte[]>(4);
        return new RawMessage(publicId, reader.GetInt64(1), async (output, stop) =>
        {
            await output.WriteAsync(header, stop);
            if (inline is not null) await output.WriteAsync(inline, stop);
            else await foreach (var chunk in StoredBodies.ChunksAsync(database, bodyId, bodySize, stop)) await output.WriteAsync(chunk, stop);
        });
    }
}
