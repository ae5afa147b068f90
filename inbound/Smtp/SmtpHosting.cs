using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using MoxApi.Migrations.Writing;

namespace MoxApi.Inbound.Smtp;

/// <summary>SMTP in a host: services, and which of Kestrel's endpoints speak it.</summary>
public static class SmtpHosting
{
    /// <summary>Adds what the listener needs; the back-end is registered apart.</summary>
    public static IServiceCollection AddSmtp(this IServiceCollection services, SmtpOptions options)
    {
        services.AddSingleton(options);
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton<BytesInFlight>();
        services.TryAddSingleton<SmtpMetrics>();
        // One object for all endpoints: they share the limits on connections.
        services.TryAddSingleton<SmtpConnectionHandler>();
        return services;
    }

    /// <summary>Speaks SMTP (RFC 5321) on this endpoint, in place of HTTP.</summary>
    public static ListenOptions UseSmtp(this ListenOptions endpoint)
    {
        endpoint.UseConnectionHandler<SmtpConnectionHandler>();
        return endpoint;
    }
}
