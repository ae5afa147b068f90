using Npgsql;

namespace MoxApi.Tests.Hosting;

/// <summary>A transaction that has rows in hand: who wants to change them waits, until it commits, and then meets what has become of them.</summary>
internal sealed class OtherTransaction : IAsyncDisposable
{
    private readonly NpgsqlDataSource database;
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;

    private OtherTransaction(NpgsqlDataSource database, NpgsqlConnection connection, NpgsqlTransaction transaction) =>
        (this.database, this.connection, this.transaction) = (database, connection, transaction);

    /// <summary>Runs statements, and leaves them uncommitted.</summary>
    public static async Task<OtherTransaction> BeginAsync(NpgsqlDataSource database, params string[] statements)
    {
        var connection = await database.OpenConnectionAsync();
        var made = new OtherTransaction(database, connection, await connection.BeginTransactionAsync());
        foreach (var statement in statements) await made.ExecuteAsync(statement);
        return made;
    }

    /// <summary>Runs a further statement.</summary>
    public async Task ExecuteAsync(string statement)
    {
        await using var command = new NpgsqlCommand(statement, connection);
        await command.ExecuteNonQueryAsync();
    }

    /// <summary>Waits until so many wait for it, or for each other.</summary>
    public Task IsAwaitedAsync(int by = 1) => Eventually.HoldsAsync(
        async () =>
        {
            await using var command = database.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'");
            return (long)(await command.ExecuteScalarAsync())! >= by;
        },
        $"{by} to wait for a lock");

    public Task CommitAsync() => transaction.CommitAsync();

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
