using System.Diagnostics;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MoxApi.Api.Access;
using MoxApi.Api.Accounts;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.Api.Problems;
using MoxApi.Api.RateLimits;
using MoxApi.Api.Received;
using MoxApi.Api.Suppressions;
using MoxApi.Api.Swagger;
using MoxApi.Api.Webhooks;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi;

namespace MoxApi.Api;

/// <summary>
/// The HTTP API as part of a host, which registers <see cref="ICredentials"/>, <see cref="IMessages"/>, <see cref="IWebhooks"/> and
/// <see cref="IReceivedMessages"/> beside it.
/// </summary>
internal static class ApiSetup
{
    public static IServiceCollection AddMoxApiEndpoints(this IServiceCollection services)
    {
        services.AddOptions<ApiOptions>();
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BytesInFlight>();
        services.AddSingleton<AccountLimits>();
        services.AddSingleton<ApiMetrics>();
        services.AddSingleton<MalformedRequests>();
        services.AddSingleton<MessageBatch>();
        services.ConfigureHttpJsonOptions(options => WireJson.Apply(options.SerializerOptions));
        ApiAuthentication.Add(services);
        SwaggerSetup.AddSwagger(services);
        return services;
    }

    /// <summary>Maps <c>/v1</c> and <c>/swagger</c>. To be called ahead of other middleware: it answers for the faults of what follows.</summary>
    public static WebApplication MapMoxApi(this WebApplication app)
    {
        app.Services.GetRequiredService<MalformedRequests>().Observe(app.Services.GetRequiredService<DiagnosticListener>());
        app.UseMiddleware<ProblemAnswers>();
        app.Use(Crowd.RefuseAsync);
        SwaggerSetup.UseSwagger(app);
        app.UseRouting();
        app.UseAuthentication();
        app.Use(app.Services.GetRequiredService<AccountLimits>().InvokeAsync);
        app.UseAuthorization();
        app.Use(QueryText.RequireUtf8Async);
        var v1 = app.MapGroup("/v1");
        v1.MapMessages();
        v1.MapWebhooks();
        v1.MapReceived();
        v1.MapSuppressions();
        v1.MapAdministration();
        return app;
    }
}
