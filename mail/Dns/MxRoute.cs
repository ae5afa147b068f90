using System.Net;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;

namespace MoxApi.Mail.Dns;

/// <summary>A host to try for a domain.</summary>
/// <param name="Name">A-labels in lower case without trailing dot; or an IP address, where a zone has one in place of a name.</param>
/// <param name="Preference">0 to 65535; lower comes first.</param>
public sealed record MxHost(string Name, int Preference);

/// <summary>The way to a domain's mail servers, or why there is none.</summary>
/// <param name="Domain">The domain asked for.</param>
/// <param name="Hosts">The hosts in the order to try; empty exactly when there is a failure.</param>
/// <param name="Failure">
/// Transient (4xx) when DNS failed, permanent (5xx) when the domain takes no mail; in the words of a server's reply, though no server said it.
/// </param>
/// <param name="IsAuthenticated">Whether DNSSEC vouches for the hosts (RFC 7672 §2.2.1).</param>
public sealed record MxRoute(MailDomain Domain, IReadOnlyList<MxHost> Hosts, SmtpReply? Failure, bool IsAuthenticated)
{
    /// <summary>Whether there is no way because the best mail server is this one (RFC 5321 §5.1): a loop, unless the domain is our own.</summary>
    public bool LoopsBack => Failure?.Enhanced == MxFailure.RoutingLoop;
}

/// <summary>The addresses of a host, or why there are none.</summary>
/// <param name="Host">The host asked for.</param>
/// <param name="CanonicalName">The host's name after aliases, which is the name that DANE is about (RFC 7672 §2.2.2).</param>
/// <param name="Addresses">The addresses in the order to try; empty exactly when there is a failure.</param>
/// <param name="Failure">Transient (4xx) when DNS failed, permanent (5xx) when the host has no address.</param>
/// <param name="IsAuthenticated">Whether DNSSEC vouches for the addresses.</param>
public sealed record MxHostAddresses(
    MxHost Host, string CanonicalName, IReadOnlyList<IPAddress> Addresses, SmtpReply? Failure, bool IsAuthenticated);
