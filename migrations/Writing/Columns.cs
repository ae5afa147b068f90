using Npgsql;
using NpgsqlTypes;

namespace MoxApi.Migrations.Writing;

/// <summary>Rows as one array for each column, which <c>unnest</c> makes rows again: one statement for however many there are.</summary>
internal static class Columns
{
    /// <summary>Adds a statement to a batch.</summary>
    public static void Add(this NpgsqlBatch batch, string statement, params ReadOnlySpan<NpgsqlParameter> columns)
    {
        var command = new NpgsqlBatchCommand(statement);
        foreach (var column in columns) command.Parameters.Add(column);
        batch.BatchCommands.Add(command);
    }

    public static NpgsqlParameter Column<TItem, TValue>(IReadOnlyList<TItem> items, Func<TItem, TValue> value) => new() { Value = items.Select(value).ToArray() };

    public static NpgsqlParameter Bytes(byte[]?[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea };

    public static NpgsqlParameter Json(string[] values) => new() { Value = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Jsonb };
}
