using System.Net;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>What a connection must have of TLS.</summary>
public enum SmtpTlsMode
{
    /// <summary>No TLS, even where it is offered.</summary>
    None,

    /// <summary>TLS where it works, with any certificate; else, on a new connection, in clear (RFC 7435).</summary>
    Opportunistic,

    /// <summary>TLS with a certificate that is verified for the host's name, or no connection.</summary>
    Required,
}

/// <summary>A server to connect to.</summary>
/// <param name="EndPoint">Its address and port.</param>
/// <param name="HostName">Its name, such as the MX record gave it, with A-labels: for SNI and for its certificate.</param>
/// <param name="Tls">What the connection must have of TLS.</param>
/// <param name="AllowPrivate">Whether the address may be one that is not public, as an administrator configured this server.</param>
public sealed record SmtpTarget(IPEndPoint EndPoint, string HostName, SmtpTlsMode Tls = SmtpTlsMode.Opportunistic, bool AllowPrivate = false);
