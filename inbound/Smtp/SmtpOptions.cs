using System.ComponentModel.DataAnnotations;

namespace MoxApi.Inbound.Smtp;

/// <summary>Settings of the SMTP listeners. The host checks them by their annotations before it starts.</summary>
public sealed class SmtpOptions
{
    /// <summary>The name in the greeting and in trace fields, a domain.</summary>
    [Required]
    public string HostName { get; set; } = "localhost";

    /// <summary>The longest message, in octets, as announced by SIZE (RFC 1870). From 64 KiB, the least a server takes (RFC 5321 §4.5.3.1.7).</summary>
    [Range(65_536, 1L << 31)]
    public long MaxMessageOctets { get; set; } = 100 << 20;

    /// <summary>The most recipients of one mail transaction, from 100 (RFC 5321 §4.5.3.1.8).</summary>
    [Range(100, 100_000)]
    public int MaxRecipients { get; set; } = 1000;

    /// <summary>The most open connections.</summary>
    [Range(1, 100_000)]
    public int MaxConnections { get; set; } = 1000;

    /// <summary>The most open connections from one IPv4 address or one IPv6 /64.</summary>
    [Range(1, 100_000)]
    public int MaxConnectionsPerNetwork { get; set; } = 50;

    /// <summary>How many commands of a connection may fail, among them recipients that are refused for good, until it is closed. Each message taken wipes the slate clean.</summary>
    [Range(1, 1000)]
    public int MaxFaults { get; set; } = 20;

    /// <summary>
    /// How many commands of a connection may bring no message nearer, such as NOOP, RSET and a MAIL that is refused, until it is closed. Each message taken starts the
    /// count anew.
    /// </summary>
    [Range(10, 100_000)]
    public int MaxIdleCommands { get; set; } = 100;

    /// <summary>Whether a recipient refused for good counts.</summary>
    internal bool RefusedRecipientsAreFaults { get; set; } = true;

    /// <summary>How long to wait for a command, and for a client to read our replies. RFC 5321 §4.5.3.2.7: at least 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan CommandTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long to wait for the next octets of a message. RFC 5321 §4.5.3.2.5 gives clients 3 minutes for a block.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan DataTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>How long a message may take to be stored after its final dot, whether the client still waits or not. Clients wait 10 minutes (RFC 5321 §4.5.3.2.6).</summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00")]
    public TimeSpan CommitTimeout { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>Refuse what the standards do not allow, even where it is harmless and common: bare LFs, spaces before addresses, names that are no domain.</summary>
    public bool Pedantic { get; set; }

    /// <summary>Where messages too long for memory are kept while they arrive; null is the system's folder for temporary files.</summary>
    public string? SpoolFolder { get; set; }

    /// <summary>For the sandbox, where all clients are on this machine and one is our own delivery, to however many domains; and where failing addresses are there to be tried.</summary>
    internal void ServeSandbox() => (RefusedRecipientsAreFaults, MaxConnections, MaxConnectionsPerNetwork) = (false, 100_000, 100_000);
}
