using Npgsql;

namespace MoxApi.Tests.Hosting;

/// <summary>Looks for a text in everything that a database holds.</summary>
internal static class DatabaseSearch
{
    /// <summary>The columns, as <c>table.column</c>, in which a text of ASCII occurs, in whatever case; octets are searched as they are.</summary>
    public static async Task<List<string>> FindAsync(NpgsqlDataSource database, string text, CancellationToken cancel)
    {
        var columns = new List<(string Table, string Column, string Type)>();
        await using (var list = database.CreateCommand("""
            SELECT c.table_name, c.column_name, c.data_type FROM information_schema.columns c JOIN information_schema.tables t USING (table_schema, table_name)
            WHERE c.table_schema = 'public' AND t.table_type = 'BASE TABLE' ORDER BY 1, 2
            """))
        {
            await using var reader = await list.ExecuteReaderAsync(cancel);
            while (await reader.ReadAsync(cancel)) columns.Add((reader.GetString(0), reader.GetString(1), reader.GetString(2)));
        }
        var found = new List<string>();
        foreach (var (table, column, type) in columns)
        {
            var value = type == "bytea" ? $"encode(\"{column}\", 'escape')" : $"\"{column}\"::text";
            await using var command = database.CreateCommand($"SELECT EXISTS (SELECT 1 FROM \"{table}\" WHERE position($1 in lower({value})) > 0)");
            command.Parameters.Add(new() { Value = text.ToLowerInvariant() });
            if ((bool)(await command.ExecuteScalarAsync(cancel))!) found.Add($"{table}.{column}");
        }
        return found;
    }
}
