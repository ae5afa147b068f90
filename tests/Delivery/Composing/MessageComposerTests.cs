using System.Text;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using Xunit;

namespace MoxApi.Tests.Delivery.Composing;

public class MessageComposerTests
{
    [Fact]
    public async Task A_text_with_a_name_and_a_subject_outside_ascii_reads_back()
    {
        var draft = new MessageDraft
        {
            From = new Mailbox("Acme, Inc.", MailAddress.Parse("receipts@acme.example")),
            To = [new Mailbox("Jane Döe", MailAddress.Parse("jane@example.org"))],
            Subject = "Your receipt ☺",
            Text = "Hello\nthere\r\rJane",
        };
        var body = new MemoryStream();
        var composed = await new MessageComposer(new FakeTimeProvider()).ComposeAsync(draft, body, CancellationToken.None);
        var message = await MimeMessage.LoadAsync(new MemoryStream([.. composed.Header, .. body.ToArray()]));
        Assert.Equal("Your receipt ☺", message.Subject);
        Assert.Equal("Jane Döe", message.To.Mailboxes.Single().Name);
        Assert.Equal("Acme, Inc.", message.From.Mailboxes.Single().Name);
        Assert.Equal("Hello\r\nthere\r\n\r\nJane\r\n", Encoding.UTF8.GetString(body.ToArray()));
        Assert.False(composed.NeedsSmtpUtf8);
        Assert.Equal(body.Length, composed.BodySize);
    }
}
