using CsCheck;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using Xunit;
using static MoxApi.Tests.Delivery.Composing.Drafts;

namespace MoxApi.Tests.Delivery.Composing;

public class DraftCheckTests
{
    public static TheoryData<string> Breakouts => ["a\r\nBcc: evil@evil.example", "a\nb", "a\rb", "a\0b", "a\tb", "a\u001bb", "a\u0085b", "a\u007fb", "a\ud800b", "\udc00"];

    public static TheoryData<string> Unwritable => ["a\0b", "a\ud83d", "\ude00\ud83d", "\ud83d\ud83d\ude00"];

    [Theory]
    [MemberData(nameof(Breakouts))]
    public void What_breaks_out_of_a_header_is_refused_wherever_it_is(string text)
    {
        var address = MailAddress.Parse("jane@example.org");
        Refused("/from", Simple with { From = new Mailbox(text, address) });
        Refused("/replyTo/0", Simple with { ReplyTo = [new Mailbox(text, address)] });
        Refused("/to/1", Simple with { To = [new Mailbox(address), new Mailbox(text, address)] });
        Refused("/cc/0", Simple with { Cc = [new Mailbox(text, address)] });
        Refused("/subject", Simple with { Subject = text });
        Refused("/headers/0/name", Simple with { Headers = [new MessageHeader($"X-{text}", "1")] });
        Refused("/headers/0/value", Simple with { Headers = [new MessageHeader("X-Order", text)] });
        Refused("/messageId", Simple with { MessageId = $"<{text}@acme.example>" });
        Refused("/inReplyTo", Simple with { InReplyTo = $"<{text}@acme.example>" });
        Refused("/references/1", Simple with { References = ["<a@b>", $"<{text}@acme.example>"] });
        Refused("/attachments/0/filename", Simple with { Attachments = [File(text, "text/plain", [])] });
        Refused("/attachments/0/contentType", Simple with { Attachments = [File("a", $"text/plain; name=\"{text}\"", [])] });
        Refused("/attachments/0/contentId", Simple with { Attachments = [File("a", "text/plain", [], text)] });
    }

    [Theory]
    [InlineData("From")]
    [InlineData("sender")]
    [InlineData("BCC")]
    [InlineData("Subject")]
    [InlineData("Return-Path")]
    [InlineData("received")]
    [InlineData("DKIM-Signature")]
    [InlineData("ARC-Seal")]
    [InlineData("Authentication-Results")]
    [InlineData("Content-Type")]
    [InlineData("Content-Anything")]
    [InlineData("MIME-Version")]
    [InlineData("Resent-From")]
    [InlineData("")]
    [InlineData("X Order")]
    [InlineData("X:Order")]
    [InlineData("X-Örder")]
    public void A_header_of_the_mail_system_or_without_a_proper_name_is_refused(string name) =>
        Refused("/headers/0/name", Simple with { Headers = [new MessageHeader(name, "1")] });

    [Theory]
    [InlineData("")]
    [InlineData("text")]
    [InlineData("text/")]
    [InlineData("multipart/mixed; boundary=a")]
    [InlineData("message/rfc822")]
    [InlineData("image/*")]
    [InlineData("image/a/b")]
    [InlineData("täxt/plain")]
    public void A_content_type_that_a_file_cannot_have_is_refused(string type) =>
        Refused("/attachments/0/contentType", Simple with { Attachments = [File("a", type, [])] });

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("logo.")]
    [InlineData("a..b")]
    [InlineData("a@")]
    [InlineData("a@b.")]
    [InlineData("a@.b")]
    [InlineData("a@@b")]
    [InlineData("a@b@c")]
    [InlineData("a#b")]
    [InlineData("a%41")]
    public void What_is_no_content_id_is_refused(string id) => Refused("/attachments/0/contentId", Simple with { Attachments = [File("a", "text/plain", [], id)] });

    [Theory]
    [InlineData("a@b.example")]
    [InlineData("<ab.example>")]
    [InlineData("<a@b> <c@d>")]
    [InlineData("<a@<b>")]
    [InlineData("<ä@b.example>")]
    [InlineData("")]
    public void What_is_no_message_id_is_refused(string id) => Refused("/messageId", Simple with { MessageId = id });

    [Theory]
    [MemberData(nameof(Unwritable))] // An attribute cannot hold half a surrogate pair.
    public void A_text_with_nul_or_half_a_character_is_refused(string text)
    {
        Refused("/text", Simple with { Text = text });
        Refused("/html", Simple with { Html = text });
    }

    [Fact]
    public void A_message_without_text_and_html_is_refused() => Refused("/text", Simple with { Text = null });

    [Fact]
    public void More_than_anybody_needs_is_refused()
    {
        Refused("/to", Simple with { To = [.. Enumerable.Repeat(Simple.From, 1001)] });
        Refused("/headers", Simple with { Headers = [.. Enumerable.Repeat(new MessageHeader("X-A", "1"), 101)] });
        Refused("/references", Simple with { References = [.. Enumerable.Repeat("<a@b>", 201)] });
        Refused("/subject", Simple with { Subject = new string('a', 8001) });
        Refused("/messageId", Simple with { MessageId = $"<{new string('a', 500)}@b>" });
    }

    [Fact]
    public void All_faults_are_told_at_once()
    {
        var faults = MessageComposer.Check(Simple with { Subject = "a\nb", Text = null, MessageId = "x", Headers = [new MessageHeader("From", "\n")] });
        Assert.Equal(["/subject", "/text", "/headers/0/name", "/headers/0/value", "/messageId"], faults.Select(each => each.Pointer));
    }

    [Fact]
    public async Task A_draft_with_faults_writes_nothing()
    {
        var body = new MemoryStream();
        var opened = false;
        var draft = Simple with { Subject = "a\nb", Attachments = [new MessageFile("a", "text/plain", Open)] };
        var refused = await Assert.ThrowsAsync<DraftException>(() => new MessageComposer(Clock).ComposeAsync(draft, body, TestContext.Current.CancellationToken));
        Assert.Equal("/subject", refused.Faults.Single().Pointer);
        Assert.Equal((0, false), (body.Length, opened));

        Stream Open()
        {
            opened = true;
            return Stream.Null;
        }
    }

    [Fact]
    public Task Any_string_of_utf16_is_either_refused_or_reads_back() =>
        Gen.Char.Array[0, 20].Select(chars => new string(chars)).ForEachAsync(
            500,
            async text =>
            {
                var draft = Simple with { Subject = text, Text = text, Attachments = [File(text, "text/plain", [])] };
                var faults = MessageComposer.Check(draft);
                if (faults.Count == 0) Assert.Equal(text.Trim(), ((await ReadBackAsync(draft)).Subject ?? "").Trim());
                else await Assert.ThrowsAsync<DraftException>(() => ComposeAsync(draft));
            });

    private static void Refused(string pointer, MessageDraft draft)
    {
        var fault = Assert.Single(MessageComposer.Check(draft));
        Assert.Equal(pointer, fault.Pointer);
        Assert.EndsWith(".", fault.Detail, StringComparison.Ordinal);
    }
}
