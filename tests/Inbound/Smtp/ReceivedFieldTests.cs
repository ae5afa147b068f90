using System.Net;
using MoxApi.Inbound.Smtp;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Grammar;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

public class ReceivedFieldTests
{
    private static readonly DateTimeOffset Now = new(2026, 11, 3, 4, 5, 6, TimeSpan.Zero);

    [Fact]
    public void It_names_an_IPv6_client_as_an_address_literal_and_the_one_recipient()
    {
        var envelope = new SmtpEnvelope(new(IPAddress.Parse("2001:db8::1")), new HelloCommand(false, "client.example"), new MailCommand(null));
        envelope.Add(MailAddress.Parse("sam@ex\u00e4mple.org"));
        Assert.Equal(
            $"Received: from client.example ([IPv6:2001:db8::1])\r\n\tby mx.example.org with SMTP id {envelope.Id}\r\n\tfor <sam@xn--exmple-cua.org>;\r\n"
            + "\tTue, 03 Nov 2026 04:05:06 +0000\r\n",
            ReceivedField.Write(envelope, "mx.example.org", Now));
    }

    [Fact]
    public void It_does_not_show_several_recipients_to_each_other()
    {
        var envelope = new SmtpEnvelope(new(IPAddress.Loopback), new HelloCommand(true, "a"), new MailCommand(null));
        envelope.Add(MailAddress.Parse("sam@example.org"));
        envelope.Add(MailAddress.Parse("kim@example.org"));
        Assert.DoesNotContain("for ", ReceivedField.Write(envelope, "mx.example.org", Now), StringComparison.Ordinal);
    }
}
