using System.Text;
using Microsoft.Extensions.Time.Testing;
using MimeKit;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using Xunit;

namespace MoxApi.Tests.Delivery.Composing;

/// <summary>Drafts to begin from, and what becomes of them.</summary>
internal static class Drafts
{
    public static MessageDraft Simple => new()
    {
        From = new Mailbox("Acme, Inc.", MailAddress.Parse("receipts@acme.example")),
        To = [new Mailbox(MailAddress.Parse("jane@example.org"))],
        Subject = "Hello",
        Text = "Hello",
    };

    public static FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));

    public static MessageFile File(string? name, string type, byte[] content, string? contentId = null) =>
        new(name, type, () => new MemoryStream(content), contentId);

    public static async Task<(ComposedMessage Composed, byte[] Body)> ComposeAsync(MessageDraft draft)
    {
        var body = new MemoryStream();
        var composed = await new MessageComposer(Clock).ComposeAsync(draft, body, TestContext.Current.CancellationToken);
        Assert.Equal(body.Length, composed.BodySize);
        return (composed, body.ToArray());
    }

    /// <summary>Composes, checks what must hold of all messages, and reads the message back with MimeKit.</summary>
    public static async Task<MimeMessage> ReadBackAsync(MessageDraft draft)
    {
        var (composed, body) = await ComposeAsync(draft);
        AssertWellFormed(composed.Header, composed.NeedsSmtpUtf8);
        AssertWellFormed(body, false);
        Assert.EndsWith("\r\n\r\n", Encoding.UTF8.GetString(composed.Header), StringComparison.Ordinal);
        return await MimeMessage.LoadAsync(new MemoryStream([.. composed.Header, .. body]));
    }

    // RFC 5321 §2.3.8: CR and LF only as CRLF, one at the end; RFC 5322 §2.1.1: lines of at most 998; seven bits, and no NUL.
    private static void AssertWellFormed(byte[] part, bool mayHaveUtf8)
    {
        var lines = Encoding.Latin1.GetString(part).Split("\r\n");
        Assert.Equal("", lines[^1]);
        foreach (var line in lines)
        {
            Assert.InRange(line.Length, 0, 998);
            Assert.True(line.All(c => c is not ('\r' or '\n' or '\0') && (mayHaveUtf8 || c < 128)), line);
        }
    }
}
