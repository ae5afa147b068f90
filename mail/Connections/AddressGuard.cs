using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace MoxApi.Mail.Connections;

/// <summary>
/// Tells public addresses from those that somebody else's DNS must not make us connect to: our own machine, our own networks, and what
/// leads there by translation (the special-purpose registries of RFC 6890).
/// </summary>
public static class AddressGuard
{
    private static readonly IPNetwork GlobalUnicast = IPNetwork.Parse("2000::/3");
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");

    private static readonly IPNetwork[] Refused4 =
    [
        IPNetwork.Parse("0.0.0.0/8"), // RFC 1122 §3.2.1.3: this network; Linux connects 0.0.0.0 to itself.
        IPNetwork.Parse("10.0.0.0/8"), // RFC 1918: private.
        IPNetwork.Parse("100.64.0.0/10"), // RFC 6598: shared with the carrier's NAT.
        IPNetwork.Parse("127.0.0.0/8"), // RFC 1122 §3.2.1.3: loopback.
        IPNetwork.Parse("169.254.0.0/16"), // RFC 3927: link-local, where clouds keep their metadata.
        IPNetwork.Parse("172.16.0.0/12"), // RFC 1918: private.
        IPNetwork.Parse("192.0.0.0/24"), // RFC 6890: IETF protocol assignments.
        IPNetwork.Parse("192.0.2.0/24"), // RFC 5737: documentation.
        IPNetwork.Parse("192.88.99.0/24"), // RFC 7526: the 6to4 relays that were.
        IPNetwork.Parse("192.168.0.0/16"), // RFC 1918: private.
        IPNetwork.Parse("198.18.0.0/15"), // RFC 2544: benchmarking.
        IPNetwork.Parse("198.51.100.0/24"), // RFC 5737: documentation.
        IPNetwork.Parse("203.0.113.0/24"), // RFC 5737: documentation.
        IPNetwork.Parse("224.0.0.0/4"), // RFC 5771: multicast.
        IPNetwork.Parse("240.0.0.0/4"), // RFC 1112 §4: reserved, and the limited broadcast address.
    ];

    private static readonly IPNetwork[] Refused6 =
    [
        IPNetwork.Parse("2001::/23"), // RFC 6890: IETF protocol assignments, with Teredo, benchmarking and ORCHID.
        IPNetwork.Parse("2001:db8::/32"), // RFC 3849: documentation.
        IPNetwork.Parse("2002::/16"), // RFC 3056: 6to4 carries an IPv4 address, of which it may be any.
        IPNetwork.Parse("3fff::/20"), // RFC 9637: documentation.
    ];

    /// <summary>Whether an address is public: globally reachable unicast, and not a translation of an IPv4 address that is not.</summary>
    public static bool IsPublic(IPAddress address)
    {
        var judged = Unwrap(address);
        // Of IPv6 only 2000::/3 is in use as global unicast (RFC 4291 §2.4, IANA); all else, with ::1, fc00::/7, fe80::/10, ff00::/8 and
        // the local-use NAT64 prefix 64:ff9b:1::/48 (RFC 8215), is refused without being named.
        return judged.AddressFamily == AddressFamily.InterNetwork
            ? !IsIn(judged, Refused4)
            : GlobalUnicast.Contains(judged) && !IsIn(judged, Refused6);
    }

    /// <summary>Whether an address, or the IPv4 address inside it, lies in one of the networks.</summary>
    public static bool IsIn(IPAddress address, IReadOnlyList<IPNetwork> networks)
    {
        var judged = Unwrap(address);
        foreach (var network in networks)
        {
            if (network.Contains(address) || network.Contains(judged)) return true;
        }
        return false;
    }

    /// <summary>The IPv4 address that an IPv4-mapped (RFC 4291 §2.5.5.2) or NAT64 (RFC 6052 §2.1) address leads to; else the address itself.</summary>
    private static IPAddress Unwrap(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        if (!Nat64.Contains(address)) return address;
        Span<byte> bytes = stackalloc byte[16];
        return address.TryWriteBytes(bytes, out _) ? new IPAddress(BinaryPrimitives.ReadUInt32LittleEndian(bytes[12..])) : address;
    }
}
