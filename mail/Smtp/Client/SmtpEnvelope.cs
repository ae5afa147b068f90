using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>Whom a message is from and for, and what it needs of the server.</summary>
public sealed record SmtpEnvelope
{
    /// <summary>The return path; null for <c>&lt;&gt;</c>.</summary>
    public required MailAddress? ReversePath { get; init; }

    /// <summary>The recipients, at least one.</summary>
    public required IReadOnlyList<MailAddress> ForwardPaths { get; init; }

    /// <summary>Whether the content has octets above 127, so that the server must offer 8BITMIME (RFC 6152).</summary>
    public bool Is8Bit { get; init; }

    /// <summary>Whether the content's header fields have UTF-8, so that the server must offer SMTPUTF8 (RFC 6531). Addresses of the envelope count by themselves.</summary>
    public bool NeedsSmtpUtf8 { get; init; }

    /// <summary>Whether the server must offer REQUIRETLS, which is then asked for (RFC 8689).</summary>
    public bool RequireTls { get; init; }
}
