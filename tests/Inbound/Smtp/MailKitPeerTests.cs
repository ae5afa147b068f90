using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Xunit;

namespace MoxApi.Tests.Inbound.Smtp;

/// <summary>MailKit's client as a peer that was not written here.</summary>
public class MailKitPeerTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(20_000)]
    public async Task Its_messages_arrive_octet_for_octet(int repeats)
    {
        await using var host = await SmtpListenerHost.StartAsync();
        using var message = new MimeMessage { Subject = "Gr\u00fc\u00dfe" };
        message.From.Add(new MailboxAddress("Jane", "jane@example.org"));
        message.To.Add(new MailboxAddress("Sam", "sam@example.net"));
        message.To.Add(new MailboxAddress("Quoted", "\"sam smith\"@example.net"));
        message.Body = new TextPart("plain") { Text = string.Concat(Enumerable.Repeat(".\r\n..a line\r\n.b\r\n\r\n", repeats)) };

        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", host.Port, SecureSocketOptions.None);
        Assert.True(client.Capabilities.HasFlag(
            SmtpCapabilities.Pipelining | SmtpCapabilities.Size | SmtpCapabilities.EightBitMime | SmtpCapabilities.UTF8 | SmtpCapabilities.EnhancedStatusCodes));
        await client.SendAsync(message);
        await client.DisconnectAsync(quit: true);

        var received = await host.Backend.NextAsync();
        using var expected = new MemoryStream();
        var format = FormatOptions.Default.Clone();
        format.NewLineFormat = NewLineFormat.Dos;
        format.EnsureNewLine = true;
        await message.WriteToAsync(format, expected);
        Assert.Equal(expected.ToArray(), received.Octets);
        Assert.Equal(["sam@example.net", "\"sam smith\"@example.net"], received.Envelope.Recipients.Select(address => address.ToString()));
    }

    [Fact]
    public async Task It_can_use_SMTPUTF8_and_learns_who_was_refused()
    {
        await using var host = await SmtpListenerHost.StartAsync();
        using var client = new SmtpClient();
        await client.ConnectAsync("127.0.0.1", host.Port, SecureSocketOptions.None);
        using var message = new MimeMessage(
            [new MailboxAddress("", "j\u00f6rg@ex\u00e4mple.org")], [new MailboxAddress("", "j\u00fcrgen@example.net")], "hi", new TextPart("plain") { Text = "hi" });
        var format = FormatOptions.Default.Clone();
        format.International = true;
        await client.SendAsync(format, message);
        var received = await host.Backend.NextAsync();
        Assert.Equal("j\u00f6rg@ex\u00e4mple.org", received.Envelope.ReversePath!.ToString());

        message.To.Clear();
        message.To.Add(new MailboxAddress("", "u550@example.net"));
        var refused = await Assert.ThrowsAsync<SmtpCommandException>(() => client.SendAsync(format, message));
        Assert.Equal((SmtpErrorCode.RecipientNotAccepted, 550), (refused.ErrorCode, (int)refused.StatusCode));
    }
}
