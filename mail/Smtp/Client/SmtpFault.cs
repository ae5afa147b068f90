namespace MoxApi.Mail.Smtp.Client;

/// <summary>Why a conversation went wrong on our side of it, where no reply of the server says so.</summary>
public enum SmtpFault
{
    /// <summary>None: a reply decided.</summary>
    None,

    /// <summary>The address is not public, and not allowed.</summary>
    AddressRefused,

    /// <summary>No TCP connection came about.</summary>
    ConnectFailed,

    /// <summary>The server did not do its part in time (RFC 5321 §4.5.3.2).</summary>
    TimedOut,

    /// <summary>The connection was closed or broke.</summary>
    Disconnected,

    /// <summary>The server sent something that is no reply, or a reply that makes no sense at its place.</summary>
    ProtocolViolation,

    /// <summary>TLS is required, and the server does not offer STARTTLS.</summary>
    TlsUnavailable,

    /// <summary>STARTTLS was refused, the handshake failed, or the certificate is not the one it must be.</summary>
    TlsFailed,

    /// <summary>The message needs an extension that the server lacks: 8BITMIME, SMTPUTF8 or REQUIRETLS. The connection is as good as before.</summary>
    ExtensionMissing,

    /// <summary>The message is larger than the server's SIZE. The connection is as good as before.</summary>
    TooLarge,

    /// <summary>The caller withheld the final dot.</summary>
    LeaseLost,
}
