using Npgsql;

namespace MoxApi.Migrations.Retention;

/// <summary>
/// Deletes what is old enough, by the settings and what accounts say otherwise, and what deleted accounts had. Received mail is its account's own and is
/// not touched. Stopped in the middle, it goes on the next time.
/// </summary>
/// <param name="database">Where everything is.</param>
/// <param name="options">How long things are kept.</param>
/// <param name="time">The clock of ages.</param>
public sealed class RetentionRun(NpgsqlDataSource database, RetentionOptions options, TimeProvider time)
{
    private readonly Batches batches = new(database, time);

    /// <summary>Goes over everything once, unless another node does so just now.</summary>
    /// <param name="deleted">Told what was deleted, and how many, as it goes on.</param>
    /// <param name="stop">Ends it between batches.</param>
    public async Task RunAsync(Action<string, int> deleted, CancellationToken stop)
    {
        await using var alone = await database.OpenConnectionAsync(stop);
        await using var take = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended('moxapi:retention', 0))", alone);
        var mayHaveLock = true; // Also where the answer is lost.
        try
        {
            mayHaveLock = await take.ExecuteScalarAsync(stop) is true;
            if (mayHaveLock) await DeleteAsync(deleted, stop);
        }
        finally
        {
            if (mayHaveLock) await GiveBackAsync(alone);
        }
    }

    // In the pool the connection would keep the lock as long as it lives.
    private static async Task GiveBackAsync(NpgsqlConnection alone)
    {
        await using var giveBack = new NpgsqlCommand("SELECT pg_advisory_unlock(hashtextextended('moxapi:retention', 0))", alone);
        await giveBack.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>Deletes bodies that belong to no message; returns how many.</summary>
    public Task<int> SweepBodiesAsync(CancellationToken stop) => new OrphanedBodies(database, batches).DeleteAsync(stop);

    private async Task DeleteAsync(Action<string, int> deleted, CancellationToken stop)
    {
        var messages = new OldMessages(batches);
        foreach (var account in await AccountsAsync(stop))
        {
            var now = time.GetUtcNow();
            if (account.DeletedAt is { } at)
            {
                if (at < now - DeletedAccounts.Grace) deleted("message", await new DeletedAccounts(batches, messages).DeleteAsync(account.Id, stop));
                continue;
            }
            var (content, whole) = (now - TimeSpan.FromDays(account.Content), now - TimeSpan.FromDays(account.Messages));
            deleted("content", await new OldContent(batches).DeleteAsync(account.Id, content, now, stop));
            deleted("message", await messages.DeleteAsync(account.Id, whole, stop));
            deleted("event", await new OldEvents(batches).DeleteAsync(account.Id, whole, stop));
        }
        deleted("webhook_delivery", await new OldDeliveries(database, batches).DeleteAsync(options.WebhookDays, time.GetUtcNow(), stop));
    }

    private async Task<List<(long Id, int Content, int Messages, DateTimeOffset? DeletedAt)>> AccountsAsync(CancellationToken stop)
    {
        await using var command = database.CreateCommand("SELECT id, coalesce(keep_content_days, $1), coalesce(keep_message_days, $2), deleted_at FROM account ORDER BY id");
        command.Parameters.Add(new() { Value = options.ContentDays });
        command.Parameters.Add(new() { Value = options.MessageDays });
        await using var reader = await command.ExecuteReaderAsync(stop);
        var accounts = new List<(long, int, int, DateTimeOffset?)>();
        while (await reader.ReadAsync(stop))
            accounts.Add((reader.GetInt64(0), reader.GetInt32(1), reader.GetInt32(2), reader.IsDBNull(3) ? null : reader.GetFieldValue<DateTimeOffset>(3)));
        return accounts;
    }
}
