using System.Data;
using Npgsql;

namespace MoxApi.Bench.Scenarios;

/// <summary>A snapshot that somebody holds, as a backup does: no row that dies after it can be cleaned away.</summary>
internal sealed class HeldSnapshot : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;

    private HeldSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction) => (this.connection, this.transaction) = (connection, transaction);

    /// <summary>Takes it.</summary>
    public static async Task<IAsyncDisposable> TakeAsync(NpgsqlDataSource database, CancellationToken stop)
    {
        var connection = await database.OpenConnectionAsync(stop);
        var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, stop);
        await using var first = new NpgsqlCommand("SELECT count(*) FROM queue", connection);
        await first.ExecuteScalarAsync(stop); // The first statement takes it.
        return new HeldSnapshot(connection, transaction);
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
    }
}
