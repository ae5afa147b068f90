using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using MoxApi.Api.Hosting;
using MoxApi.Api.Jobs;
using MoxApi.Migrations.Nodes;
using MoxApi.OpenApi.Access;
using OpenTelemetry.Metrics;
using OpenTelemetry.Resources;

namespace MoxApi.Api.Health;

/// <summary>
/// <c>/healthz</c> (the program answers), <c>/readyz</c> (it can do its work) and <c>/metrics</c> (Prometheus). Measurements tell how much mail there is and
/// how it fares: without a key they are told on <c>Listeners:Metrics</c> alone.
/// </summary>
internal static class NodeHealth
{
    /// <summary>Whether the program runs.</summary>
    public const string AlivePath = "/healthz";

    /// <summary>Whether it can do its work.</summary>
    public const string AblePath = "/readyz";

    private const string Ready = "ready";

    private static readonly HealthCheckOptions Alive = new() { Predicate = _ => false };

    private static readonly HealthCheckOptions Able = new() { Predicate = check => check.Tags.Contains(Ready), ResponseWriter = TellAsync };

    /// <summary>Registers checks and meters.</summary>
    public static void AddHealth(this IServiceCollection services)
    {
        services.AddSingleton<NodeMetrics>();
        services.AddSingleton<StoredGauges>();
        services.AddSingleton<ResidentJobs>();
        services.AddSingleton<DatabaseCheck>();
        services.AddHealthChecks()
            .AddCheck<DatabaseCheck>("database", tags: [Ready])
            .AddCheck<ResidentCheck>("loops", tags: [Ready]);
        services.AddOpenTelemetry().ConfigureResource(resource => resource.AddService("moxapi")).WithMetrics(metrics => metrics
            .AddMeter("MoxApi.*", "Microsoft.AspNetCore.Hosting", "Microsoft.AspNetCore.Server.Kestrel", "System.Runtime", "Npgsql")
            .AddPrometheusExporter());
    }

    /// <summary>Maps the three. To be called ahead of what asks for credentials.</summary>
    public static void MapHealth(this WebApplication app)
    {
        app.Services.GetRequiredService<NodeMetrics>();
        app.Services.GetRequiredService<StoredGauges>();
        app.MapWhen(Listeners.IsForMetrics, own => own.UseHealthChecks(AlivePath, Alive).UseHealthChecks(AblePath, Able).UseOpenTelemetryPrometheusScrapingEndpoint());
        // Past authentication, which asks the database about a key that comes along.
        app.MapHealthChecks(AlivePath, Alive).ShortCircuit();
        app.MapHealthChecks(AblePath, Able).ShortCircuit();
    }

    /// <summary>Maps <c>/metrics</c> on the listeners for HTTP, for keys of the scope admin.</summary>
    public static void MapMetrics(this WebApplication app) => app.MapPrometheusScrapingEndpoint("/metrics").RequireAuthorization(Scopes.Admin);

    // "Healthy", or "Unhealthy" and why; it is asked every few seconds, so the log has no line for each answer.
    private static Task TellAsync(HttpContext http, HealthReport report)
    {
        http.Response.ContentType = "text/plain";
        return http.Response.WriteAsync(string.Join(' ', report.Entries.Values.Where(e => e.Status != HealthStatus.Healthy).Select(e => e.Description).Prepend(report.Status.ToString())), http.RequestAborted);
    }

    private sealed class ResidentCheck(ResidentJobs residents, NodeSession session) : IHealthCheck
    {
        public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
            !residents.IsRunning ? HealthCheckResult.Unhealthy("The loops do not run.")
            : !session.IsSafe ? HealthCheckResult.Unhealthy("The node's session was not renewed in time.")
            : HealthCheckResult.Healthy());
    }
}
