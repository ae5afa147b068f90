using System.Collections.Concurrent;
using Npgsql;

namespace MoxApi.Api.Access;

/// <summary>
/// Notes when keys are used. It is written down off the way of requests, once a minute for all keys, and for each key at most every
/// <see cref="Precision"/>: what is shown is meant to find keys that nobody uses.
/// </summary>
internal sealed partial class KeyUsage(NpgsqlDataSource database, TimeProvider time, ILogger<KeyUsage> logger) : BackgroundService
{
    /// <summary>How old what is stored may be while a key is in use.</summary>
    public static readonly TimeSpan Precision = TimeSpan.FromMinutes(5);

    private static readonly TimeSpan WriteEvery = TimeSpan.FromMinutes(1);

    // Only keys that exist come here, so their number is bounded; those that are not used any more are dropped.
    private readonly ConcurrentDictionary<long, Use> uses = [];

    /// <summary>A key is being used.</summary>
    public void Note(long key)
    {
        var now = time.GetUtcNow();
        uses.AddOrUpdate(key, static (_, at) => new Use(at, null), static (_, use, at) => use with { At = at }, now);
    }

    /// <summary>Writes down what is due.</summary>
    public async Task WriteAsync(CancellationToken cancel)
    {
        foreach (var (key, use) in uses)
        {
            // Has not been used since: in a moment it may be, and then begins anew.
            if (use.Written == use.At && time.GetUtcNow() - use.At > Precision) uses.TryRemove(KeyValuePair.Create(key, use));
        }
        var due = uses.Where(u => u.Value.Written is not { } written || (u.Value.At > written && time.GetUtcNow() - written >= Precision)).ToArray();
        if (due.Length == 0) return;
        await using var command = database.CreateCommand("""
            UPDATE api_key k SET last_used_at = greatest(k.last_used_at, u.at) FROM unnest($1::bigint[], $2::timestamptz[]) AS u(id, at) WHERE k.id = u.id
            """);
        command.Parameters.Add(new() { Value = due.Select(d => d.Key).ToArray() });
        command.Parameters.Add(new() { Value = due.Select(d => d.Value.At).ToArray() });
        await command.ExecuteNonQueryAsync(cancel);
        foreach (var (key, use) in due) uses.AddOrUpdate(key, use, (_, now) => now with { Written = use.At });
    }

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await Task.Delay(WriteEvery, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            try
            {
                // Once more at the stop, which must not wait long for it.
                using var soon = new CancellationTokenSource(TimeSpan.FromSeconds(5), time);
                await WriteAsync(soon.Token);
            }
            catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
            {
                Log.NotWritten(logger, fault.Message);
            }
        }
    }

    private readonly record struct Use(DateTimeOffset At, DateTimeOffset? Written);

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "When keys were used could not be written down; it is tried again: {Fault}")]
        internal static partial void NotWritten(ILogger logger, string fault);
    }
}
