using System.Net;

namespace MoxApi.Mail.Dns;

/// <summary>Who we are, and how far to look.</summary>
public sealed record MxRouterOptions
{
    /// <summary>The host names under which mail reaches ourselves.</summary>
    public IReadOnlyList<string> OwnHosts { get; init; } = [];

    /// <summary>The addresses at which mail reaches ourselves. When there are any, every host of a route is looked up at once.</summary>
    public IReadOnlyList<IPAddress> OwnAddresses { get; init; } = [];

    /// <summary>The most hosts of a route.</summary>
    public int MaximumHosts { get; init; } = 20;

    /// <summary>The most addresses of a host.</summary>
    public int MaximumAddresses { get; init; } = 10;
}
