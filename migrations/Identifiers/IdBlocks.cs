using Npgsql;

namespace MoxApi.Migrations.Identifiers;

/// <summary>
/// Ids for messages, recipients, bodies, attempts and events, taken from PostgreSQL in blocks. A message's rows can so name each other,
/// and its answer be composed, before anything is written. A block that a node did not use up is lost, which costs nothing: at a million
/// blocks a day the ids stay below 2^53 for 2,000 years.
/// </summary>
public sealed class IdBlocks(NpgsqlDataSource database) : IDisposable
{
    /// <summary>Ids in a block.</summary>
    public const int BlockSize = 10_000;

    private readonly SemaphoreSlim fetching = new(1, 1);
    private readonly Lock gate = new();
    private long next;
    private long end;

    /// <summary>Reserves consecutive ids and returns the first.</summary>
    /// <param name="count">1 to <see cref="BlockSize"/>.</param>
    /// <param name="cancel">Gives up waiting for PostgreSQL.</param>
    public async ValueTask<long> ReserveAsync(int count, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, BlockSize);
        while (true)
        {
            if (TryTake(count, out var first)) return first;
            await fetching.WaitAsync(cancel);
            try
            {
                if (TryTake(count, out first)) return first;
                await using var command = database.CreateCommand("SELECT nextval('id_block')");
                var block = (long)(await command.ExecuteScalarAsync(cancel))!;
                lock (gate)
                {
                    next = block * BlockSize;
                    end = next + BlockSize;
                }
            }
            finally
            {
                fetching.Release();
            }
        }
    }

    /// <inheritdoc/>
    public void Dispose() => fetching.Dispose();

    private bool TryTake(int count, out long first)
    {
        lock (gate)
        {
            first = next;
            if (next + count > end) return false;
            next += count;
            return true;
        }
    }
}
