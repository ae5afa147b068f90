using System.Globalization;
using System.Net.Sockets;
using MoxApi.Mail.Addresses;

namespace MoxApi.Inbound.Smtp;

/// <summary>Our trace field (RFC 5321 §4.4).</summary>
internal static class ReceivedField
{
    /// <summary>The field, folded, with its last CRLF.</summary>
    public static string Write(SmtpEnvelope envelope, string hostName, DateTimeOffset now)
    {
        var peer = envelope.Peer.Address;
        var literal = peer.AddressFamily == AddressFamily.InterNetworkV6 ? $"IPv6:{peer}" : peer.ToString();
        // RFC 5321 §7.2: "for" would show blind copies to each other, so only a single recipient is named.
        var recipient = envelope.Recipients is [var only] ? $"\r\n\tfor <{Written(only)}>" : "";
        var date = now.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);
        return $"Received: from {envelope.Hello.Name} ([{literal}])\r\n\tby {hostName} with {envelope.Protocol} id {envelope.Id}{recipient};\r\n\t{date}\r\n";
    }

    // RFC 6531 §3.7.3: UTF-8 only where the transaction is SMTPUTF8, and only such a one has such an address.
    private static string Written(MailAddress address) => address.NeedsSmtpUtf8 ? address.ToString() : address.ToAscii();
}
