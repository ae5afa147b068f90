using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using Xunit;

namespace MoxApi.Tests.Peers;

/// <summary>The scripted server is judged by another client than ours, so that the two do not share a mistake.</summary>
public class ScriptedSmtpServerTests
{
    [Fact]
    public async Task MailKit_delivers_through_STARTTLS()
    {
        var stop = TestContext.Current.CancellationToken;
        await using var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned("mx.test") };
        using var client = new SmtpClient { CheckCertificateRevocation = false };
        client.ServerCertificateValidationCallback = static (_, certificate, _, _) => certificate?.Subject == "CN=mx.test";
        using var message = new MimeMessage { Subject = "hello", Body = new TextPart("plain") { Text = ".\r\n..two\r\nend\r\n" } };
        message.From.Add(new MailboxAddress("", "a@acme.example"));
        message.To.Add(new MailboxAddress("", "jane@example.org"));

        await client.ConnectAsync("127.0.0.1", server.EndPoint.Port, SecureSocketOptions.StartTls, stop);
        var answer = await client.SendAsync(message, stop);
        await client.DisconnectAsync(true, stop);

        var received = Assert.Single(server.Messages);
        Assert.Contains("queued as 1", answer);
        Assert.StartsWith("MAIL FROM:<a@acme.example>", received.Mail);
        Assert.Equal(["RCPT TO:<jane@example.org>"], received.Rcpts);
        Assert.EndsWith("\r\n\r\n.\r\n..two\r\nend\r\n", received.Text);
        Assert.Empty(server.Violations);
    }
}
