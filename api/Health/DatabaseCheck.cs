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
        using var deadline = new CancellationTokenSource(Patience, time);
        try
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(deadline.Token);
            return HealthCheckResult.Healthy();
        }
        catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
        {
            return HealthCheckResult.Unhealthy("PostgreSQL does not answer.", fault);
        }
    }
}
