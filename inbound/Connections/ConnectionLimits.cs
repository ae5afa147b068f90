using System.Net;
using System.Net.Sockets;

namespace MoxApi.Inbound.Connections;

/// <summary>Counts the open connections of one protocol, in total and by network, so that no peer takes them all.</summary>
/// <param name="total">How many connections may be open at once.</param>
/// <param name="perNetwork">How many of them from one IPv4 address or one IPv6 /64, which is what a single site can use freely.</param>
internal sealed class ConnectionLimits(int total, int perNetwork)
{
    private readonly Lock gate = new();
    private readonly Dictionary<IPAddress, int> open = [];
    private int all;

    /// <summary>Takes a place, given back by disposing the answer; null when there is none.</summary>
    public IDisposable? TryEnter(IPAddress peer)
    {
        var network = NetworkOf(peer);
        lock (gate)
        {
            var taken = open.GetValueOrDefault(network);
            if (all >= total || taken >= perNetwork) return null;
            all++;
            open[network] = taken + 1;
        }
        return new Place(this, network);
    }

    private static IPAddress NetworkOf(IPAddress peer)
    {
        if (peer.AddressFamily != AddressFamily.InterNetworkV6) return peer;
        if (peer.IsIPv4MappedToIPv6) return peer.MapToIPv4();
        Span<byte> octets = stackalloc byte[16];
        peer.TryWriteBytes(octets, out _);
        octets[8..].Clear();
        return new IPAddress(octets);
    }

    private void Leave(IPAddress network)
    {
        lock (gate)
        {
            all--;
            if (--open[network] == 0) open.Remove(network);
        }
    }

    private sealed class Place(ConnectionLimits limits, IPAddress network) : IDisposable
    {
        private int left;

        public void Dispose()
        {
            if (Interlocked.Exchange(ref left, 1) == 0) limits.Leave(network);
        }
    }
}
