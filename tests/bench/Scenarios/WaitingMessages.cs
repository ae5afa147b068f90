using System.Globalization;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Nodes;
using Npgsql;

namespace MoxApi.Bench.Scenarios;

/// <summary>
/// A queue full of messages that wait for another day. They are copies, made by SQL, of one message that the API took, with all its rows and
/// columns whatever they are, so that the books balance; only ids, times, addresses and what lists look for differ. They share a body, which
/// nothing reads while they wait.
/// </summary>
internal sealed class WaitingMessages(Stage stage)
{
    /// <summary>One in so many has <see cref="RareTag"/>, <see cref="RareWord"/> and <see cref="RareAddress"/>.</summary>
    public const int Rarity = 100_000;

    public const string RareTag = "rare";
    public const string RareWord = "Xylophone";
    public const string RareAddress = "rare@d0000.bench.example";

    /// <summary>The time from one to the next.</summary>
    public static readonly TimeSpan Apart = TimeSpan.FromMilliseconds(100);

    private const int AtATime = 100_000;

    private NpgsqlDataSource Database => stage.Installation.Database;

    /// <summary>Makes them.</summary>
    public async Task FillAsync(int count, CancellationToken stop)
    {
        var model = await SendModelAsync(stop);
        await ExecuteAsync("INSERT INTO lane (domain) SELECT 'w' || lpad(n::text, 4, '0') || '.bench.example' FROM generate_series(0, 999) n", stop);
        for (var done = 0; done < count; done += AtATime)
        {
            await CopyAsync(model, done, Math.Min(AtATime, count - done), stop);
            await Console.Error.WriteLineAsync($"backlog: {Math.Min(count, done + AtATime)} messages wait");
        }
        await stage.SettleAsync(stop);
    }

    /// <summary>Has the API take one message, on a node that does not deliver, and returns its id.</summary>
    private async Task<long> SendModelAsync(CancellationToken stop)
    {
        await using var node = await stage.StartNodeAsync(Roles.Api, Roles.Migrate);
        await stage.PostAsync(node, "model", count: 1, domains: 1, stop);
        await using var command = Database.CreateCommand("SELECT max(id) FROM message WHERE message_id_header LIKE '<model.%'");
        return (long)(await command.ExecuteScalarAsync(stop))!;
    }

    private async Task CopyAsync(long model, int done, int count, CancellationToken stop)
    {
        var (messages, recipients, events) = (await ReserveAsync(count, stop), await ReserveAsync(count, stop), await ReserveAsync(count, stop));
        var rare = $"(n % {Rarity} = 0)";
        var address = $"CASE WHEN {rare} THEN '{RareAddress}' ELSE 'u' || n || '@w' || lpad((n % 1000)::text, 4, '0') || '.bench.example' END";
        var later = string.Create(CultureInfo.InvariantCulture, $"({done} + n) * interval '{Apart.TotalSeconds} s'");
        var at = $"now() - {later}";
        const string Lane = "(SELECT min(id) FROM lane WHERE domain = 'w0000.bench.example') + n % 1000";
        var due = $"(now() + interval '1 day' + {later})";
        await CopyAsync("message", $"id = {model}", count, stop,
            ("id", $"{messages} + n"),
            ("message_id_header", $"'<waiting.' || ({messages} + n) || '@acme.example>'"),
            ("subject", $"CASE WHEN {rare} THEN '{RareWord} ' || n ELSE 'Your receipt ' || n END"),
            ("tags", $"CASE WHEN {rare} THEN ARRAY['{RareTag}'] ELSE ARRAY['receipt', 'shop' || n % 50] END"),
            ("accepted_at", at));
        await CopyAsync("recipient", $"message_id = {model}", count, stop,
            ("id", $"{recipients} + n"),
            ("message_id", $"{messages} + n"),
            ("address", address),
            ("base_address", address),
            ("accepted_at", at),
            ("lane_id", Lane),
            ("next_attempt_at", due));
        await CopyAsync("queue", $"recipient_id = (SELECT id FROM recipient WHERE message_id = {model})", count, stop,
            ("recipient_id", $"{recipients} + n"),
            ("lane_id", Lane),
            ("due_at", due),
            ("expires_at", "now() + interval '9 days'"));
        await CopyAsync("event", $"message_id = {model}", count, stop,
            ("id", $"{events} + n"),
            ("message_id", $"{messages} + n"),
            ("recipient_id", $"{recipients} + n"),
            ("at", at));
    }

    /// <summary>Copies a row so many times, numbered <c>n</c>, with other values in some columns.</summary>
    private async Task CopyAsync(string table, string where, int count, CancellationToken stop, params (string Column, string Value)[] others)
    {
        var columns = await ColumnsAsync(table, stop);
        var values = columns.Select(column => Array.Find(others, other => other.Column == column).Value ?? $"model.\"{column}\"");
        await ExecuteAsync($"""
            INSERT INTO {table} ({string.Join(", ", columns.Select(column => $"\"{column}\""))})
            SELECT {string.Join(", ", values)} FROM (SELECT * FROM {table} WHERE {where}) model CROSS JOIN generate_series(0, {count - 1}) n
            """, stop);
    }

    private async Task<List<string>> ColumnsAsync(string table, CancellationToken stop)
    {
        await using var command = Database.CreateCommand("""
            SELECT column_name::text FROM information_schema.columns
            WHERE table_schema = 'public' AND table_name = $1 AND is_generated = 'NEVER' ORDER BY ordinal_position
            """);
        command.Parameters.Add(new() { Value = table });
        var columns = new List<string>();
        await using var reader = await command.ExecuteReaderAsync(stop);
        while (await reader.ReadAsync(stop)) columns.Add(reader.GetString(0));
        return columns;
    }

    /// <summary>Takes ids as <see cref="IdBlocks"/> does, as many blocks as needed; they follow each other, since no program runs now.</summary>
    private async Task<long> ReserveAsync(int count, CancellationToken stop)
    {
        var blocks = (count + IdBlocks.BlockSize - 1) / IdBlocks.BlockSize;
        await using var command = Database.CreateCommand("SELECT min(block) FROM (SELECT nextval('id_block') AS block FROM generate_series(1, $1)) taken");
        command.Parameters.Add(new() { Value = blocks });
        return (long)(await command.ExecuteScalarAsync(stop))! * IdBlocks.BlockSize;
    }

    private async Task ExecuteAsync(string statement, CancellationToken stop)
    {
        await using var command = Database.CreateCommand(statement);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(stop);
    }
}
