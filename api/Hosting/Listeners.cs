using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using MoxApi.Api.Problems;
using MoxApi.Inbound.Smtp;
using MoxApi.Migrations.Nodes;

namespace MoxApi.Api.Hosting;

/// <summary>What Kestrel listens on: HTTP first, then SMTP, then metrics.</summary>
internal static class Listeners
{
    /// <summary>Adds the listeners of the settings.</summary>
    public static void Listen(this KestrelServerOptions kestrel, Settings settings)
    {
        kestrel.AddServerHeader = false;
        kestrel.Limits.MaxRequestBodySize = 2 << 20;
        var crowd = new Crowd(settings.Api.MaxConnections);
        foreach (var endPoint in settings.HttpEndPoints) kestrel.Listen(endPoint, listen => listen.Use(crowd.Bound).Use(AnswerWriter.Between));
        if (settings.Node.Has(Roles.Inbound))
        {
            foreach (var endPoint in settings.SmtpEndPoints) kestrel.Listen(endPoint, listen => listen.UseSmtp());
        }
        foreach (var endPoint in settings.MetricsEndPoints) kestrel.Listen(endPoint, listen => listen.Use(Mark));
    }

    /// <summary>Whether a request came to a listener for metrics.</summary>
    public static bool IsForMetrics(HttpContext context) => context.Features.Get<MetricsMark>() is not null;

    private static ConnectionDelegate Mark(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(MetricsMark.Instance);
        return next(connection);
    };

    private sealed class MetricsMark
    {
        public static MetricsMark Instance { get; } = new();
    }
}
