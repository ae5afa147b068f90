using System.Diagnostics.Metrics;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MoxApi.Api.Hosting;
using MoxApi.Api.Jobs;
using MoxApi.Migrations.Nodes;
using Npgsql;
using OpenTelemetry.Metrics;

namespace MoxApi.Api.Health;

/// <summary><c>/healthz</c> (the program answers), <c>/readyz</c> (it can do its work) and <c>/metrics</c> (Prometheus).</summary>
internal static class NodeHealth
{
    private const string Ready = "ready";

    /// <summary>Registers checks and meters.</summary>
    public static void AddHealth(this IServiceCollection services, Settings settings)
    {
        services.AddSingleton<NodeMetrics>();
        services.AddSingleton<ResidentJobs>();
        services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", tags: [Ready])
            .AddCheck<ResidentCheck>("loops", tags: [Ready]);
        services.AddOpenTelemetry().WithMetrics(metrics => metrics
            .AddMeter("MoxApi.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql")
            .AddPrometheusExporter());
    }

    /// <summary>Maps the three.</summary>
    public static void MapHealth(this WebApplication app)
    {
        app.Services.GetRequiredService<NodeMetrics>();
        // Past authentication, which asks the database about a key that comes along.
        app.MapHealthChecks("/healthz", new() { Predicate = _ => false }).ShortCircuit();
        app.MapHealthChecks("/readyz", new() { Predicate = check => check.Tags.Contains(Ready) }).ShortCircuit();
        app.MapPrometheusScrapingEndpoint("/metrics");
    }

    private sealed class DatabaseCheck(NpgsqlDataSource database) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            await using var command = database.CreateCommand("SELECT 1");
            await command.ExecuteScalarAsync(cancellationToken);
            return HealthCheckResult.Healthy();
        }
    }

    private sealed class ResidentCheck(ResidentJobs residents, NodeSession session) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            !residents.IsRunning ? HealthCheckResult.Unhealthy("A resident job does not run.")
            : !session.IsSafe ? HealthCheckResult.Unhealthy("The node's session was not renewed in time.")
            : HealthCheckResult.Healthy());
    }
}

/// <summary>The node's own measurements that belong to no room.</summary>
internal sealed class NodeMetrics : IDisposable
{
    private readonly Meter meter = new("MoxApi.Node");

    public NodeMetrics(NodeSession session)
    {
        meter.CreateObservableGauge("moxapi_book_faults", () => BookFaults, description: "Faults found at the last check of the books; 0 when they balance.");
        meter.CreateObservableGauge("moxapi_session_safe", () => session.IsSafe ? 1 : 0, description: "Whether the node's lease was renewed in time.");
    }

    /// <summary>Faults found at the last check of the books.</summary>
    public int BookFaults { get; set; }

    /// <inheritdoc/>
    public void Dispose() => meter.Dispose();
}
