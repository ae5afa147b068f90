using Npgsql;
using Polly;
using Polly.Retry;

namespace MoxApi.Migrations.Writing;

/// <summary>
/// Runs again what PostgreSQL ended because it and others waited for each other. Statements lock rows in one order where they can: queue rows first, then what they
/// are about, by id. Where two meet all the same, as by plans that read the same rows in different orders, PostgreSQL undoes one of them, which is run again.
/// <see cref="GroupCommit{T,TResult}"/> has tries of its own.
/// </summary>
public static class Deadlock
{
    private static readonly ResiliencePipeline Again = new ResiliencePipelineBuilder()
        .AddRetry(new RetryStrategyOptions
        {
            ShouldHandle = new PredicateBuilder().Handle<PostgresException>(fault => fault.SqlState == PostgresErrorCodes.DeadlockDetected),
            MaxRetryAttempts = 4,
            Delay = TimeSpan.FromMilliseconds(20),
            UseJitter = true,
        })
        .Build();

    /// <summary>Runs one statement, which is a transaction of its own; up to five times.</summary>
    /// <exception cref="PostgresException">It failed for another reason, or once more.</exception>
    public static async Task<T> RetryAsync<T>(Func<CancellationToken, Task<T>> statement, CancellationToken cancel) =>
        await Again.ExecuteAsync(async stop => await statement(stop), cancel);
}
