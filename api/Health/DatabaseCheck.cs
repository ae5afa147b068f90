using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace MoxApi.Api.Health;

/// <summary>Whether PostgreSQL answers. Anybody may ask us, so we ask it once a second at most, whoever and how many are asking.</summary>
internal sealed class DatabaseCheck(NpgsqlDataSource database, TimeProvider time) : IHealthCheck
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private Task<HealthCheckResult>? last;
    private long askedAt;
    private Task? asking;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        lock (gate)
        {
            if (last is { IsCompleted: false } || (last is not null && time.GetElapsedTime(askedAt) < Fresh)) return last;
            askedAt = time.GetTimestamp();
            return last = AskAsync();
        }
    }

    private async Task<HealthCheckResult> AskAsync()
    {
        try
        {
            if (asking is not { IsCompleted: false }) asking = SelectAsync();
            await asking.WaitAsync(Patience, time);
            return HealthCheckResult.Healthy();
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException)
        {
            return HealthCheckResult.Unhealthy("PostgreSQL does not answer.", fault);
        }
    }

    // Runs on when nobody waits for it any more: where the server hangs, Npgsql takes seconds to give up.
    private async Task SelectAsync()
    {
        await using var command = database.CreateCommand("SELECT 1");
        command.CommandTimeout = (int)Patience.TotalSeconds;
        await command.ExecuteScalarAsync();
    }
}
