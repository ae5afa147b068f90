using System.Security.Cryptography.X509Certificates;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>How we present ourselves to servers.</summary>
public sealed record SmtpClientOptions
{
    /// <summary>Our name for EHLO and HELO: a host name that resolves to us, with A-labels (RFC 5321 §4.1.1.1).</summary>
    public required string HostName { get; init; }

    /// <summary>How long to wait at each step.</summary>
    public SmtpTimeouts Timeouts { get; init; } = new();

    /// <summary>The certification authorities to trust instead of the system's, or null.</summary>
    public X509Certificate2Collection? TrustedRoots { get; init; }
}
