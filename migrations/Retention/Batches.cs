using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Migrations.Retention;

/// <summary>
/// Deletes a lot in small pieces: each statement is a transaction of its own over some 1,000 rows, with a pause after it, so that mail goes on beside it,
/// locks are short, and no snapshot keeps dead rows.
/// </summary>
internal sealed class Batches(NpgsqlDataSource database, TimeProvider time)
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(20);

    /// <summary>Runs a statement; its first row tells what it did. One that meets others in a deadlock has done nothing, and is run again.</summary>
    public Task<T?> RunAsync<T>(string statement, Func<NpgsqlDataReader, T> read, CancellationToken stop, params object[] parameters)
        where T : struct => Deadlock.RetryAsync(cancel => RunOnceAsync(statement, read, parameters, cancel), stop);

    /// <summary>Runs a statement that deletes some rows and tells how many, until it deletes none; returns how many in all.</summary>
    public async Task<int> RepeatAsync(string statement, CancellationToken stop, params object[] parameters)
    {
        var total = 0;
        while (await RunAsync(statement, row => row.GetInt64(0), stop, parameters) is { } deleted and > 0) total += (int)deleted;
        return total;
    }

    private async Task<T?> RunOnceAsync<T>(string statement, Func<NpgsqlDataReader, T> read, object[] parameters, CancellationToken stop)
        where T : struct
    {
        await using var command = database.CreateCommand(statement);
        command.CommandTimeout = 600;
        foreach (var value in parameters) command.Parameters.Add(new() { Value = value });
        T? first = null;
        await using (var reader = await command.ExecuteReaderAsync(stop))
        {
            if (await reader.ReadAsync(stop)) first = read(reader);
            // What the statement changes besides may still fail.
            while (await reader.ReadAsync(stop))
            {
            }
        }
        await Task.Delay(Pause, time, stop);
        return first;
    }
}
