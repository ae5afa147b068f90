using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Hosting;

/// <summary>The sandbox answers only to local host names: a page on the internet whose name was made to resolve to loopback gets nothing.</summary>
internal static class LocalHosts
{
    /// <summary>Refuses other names, in the sandbox.</summary>
    public static void UseLocalHostsOnly(this WebApplication app, Settings settings)
    {
        if (!settings.IsSandbox) return;
        app.Use((context, next) => context.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]"
            ? next(context)
            : new Refusal(StatusCodes.Status421MisdirectedRequest, ErrorCodes.NotFound, "The sandbox answers only to localhost, 127.0.0.1 and [::1].").ExecuteAsync(context));
    }
}
