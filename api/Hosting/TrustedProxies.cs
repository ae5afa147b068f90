using Microsoft.AspNetCore.HttpOverrides;

namespace MoxApi.Api.Hosting;

/// <summary>
/// Reverse proxies that are believed when they say for whom they ask: X-Forwarded-For and X-Forwarded-Proto. From anybody else these are words of
/// the client, with which it could spend others' budget of failed logins, or none of its own.
/// </summary>
internal static class TrustedProxies
{
    /// <summary>Makes the client's address and scheme what the proxies say; to be called ahead of other middleware.</summary>
    public static void UseTrustedProxies(this WebApplication app, Settings settings)
    {
        if (settings.TrustedNetworks.Count == 0) return;
        var options = new ForwardedHeadersOptions
        {
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            // As many as there are in a row, from the last to the first that is not one of ours.
            ForwardLimit = null,
        };
        options.KnownProxies.Clear();
        options.KnownIPNetworks.Clear();
        foreach (var network in settings.TrustedNetworks) options.KnownIPNetworks.Add(network);
        app.UseForwardedHeaders(options);
    }
}
