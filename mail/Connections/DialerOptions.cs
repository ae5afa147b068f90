using System.Net;

namespace MoxApi.Mail.Connections;

/// <summary>What a <see cref="Dialer"/> may connect to, and for how long it tries.</summary>
public sealed record DialerOptions
{
    /// <summary>Networks that are allowed although they are not public.</summary>
    public IReadOnlyList<IPNetwork> AllowNetworks { get; init; } = [];

    /// <summary>Endpoints that stand for others: the key is what is asked for, the value what is connected to. A mapped endpoint is allowed as configured.</summary>
    public IReadOnlyDictionary<IPEndPoint, IPEndPoint> EndpointMap { get; init; } = new Dictionary<IPEndPoint, IPEndPoint>();

    /// <summary>The longest time for a TCP handshake. The default of 30 s leaves time for other hosts of the destination.</summary>
    public TimeSpan ConnectTimeout { get; init; } = TimeSpan.FromSeconds(30);
}
