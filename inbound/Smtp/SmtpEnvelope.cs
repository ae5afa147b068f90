using System.Net;
using System.Security.Cryptography;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Grammar;

namespace MoxApi.Inbound.Smtp;

/// <summary>Who is at the other end of a connection.</summary>
/// <param name="Address">Its address, IPv4 never in its IPv6-mapped form. A Unix socket counts as loopback.</param>
internal sealed record SmtpPeer(IPAddress Address);

/// <summary>A mail transaction's envelope (RFC 5321 §2.3.1), and how it came.</summary>
/// <param name="peer">The client.</param>
/// <param name="hello">Its last EHLO or HELO.</param>
/// <param name="mail">The MAIL command that began the transaction.</param>
internal sealed class SmtpEnvelope(SmtpPeer peer, HelloCommand hello, MailCommand mail)
{
    private readonly List<MailAddress> recipients = [];

    /// <summary>An id for logs and the trace field: 16 letters and digits, random.</summary>
    public string Id { get; } = RandomNumberGenerator.GetString("abcdefghijklmnopqrstuvwxyz234567", 16);

    public SmtpPeer Peer { get; } = peer;

    public HelloCommand Hello { get; } = hello;

    public MailCommand Mail { get; } = mail;

    /// <summary>The sender; null for notifications (RFC 5321 §4.5.5).</summary>
    public MailAddress? ReversePath => Mail.ReversePath;

    /// <summary>Those that were taken, in their order.</summary>
    public IReadOnlyList<MailAddress> Recipients => recipients;

    /// <summary>The protocol's name in trace fields (RFC 3848; RFC 6531 §4.3).</summary>
    public string Protocol => Mail.SmtpUtf8 ? "UTF8SMTP" : Hello.Extended ? "ESMTP" : "SMTP";

    public void Add(MailAddress recipient) => recipients.Add(recipient);
}
