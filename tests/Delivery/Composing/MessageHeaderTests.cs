using System.Text;
using CsCheck;
using MimeKit;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using Xunit;
using static MoxApi.Tests.Delivery.Composing.Drafts;

namespace MoxApi.Tests.Delivery.Composing;

public class MessageHeaderTests
{
    // What headers have stumbled over: quotes, what looks like an encoded word, spaces at the ends and in rows, astral and combining characters.
    private static readonly Gen<string> Texts = Gen.OneOf(
        "a", "Word", " ", "  ", "\"", "\\", "=", "?", "=?utf-8?q?x?=", "é", "☺", "👩‍👩‍👧", "e\u0301", "\u202e", ",", ";", ":", "<", ">", "@", "(", ")", "'", "_", ".",
        "\u00a0", "中文", new string('x', 80), new string('y', 1000), new string(' ', 90)).Array[0, 12].Select(string.Concat);

    [Fact]
    public async Task Fields_come_in_a_fixed_order()
    {
        var (composed, _) = await ComposeAsync(Simple with
        {
            ReplyTo = [new Mailbox(MailAddress.Parse("help@acme.example"))],
            Cc = [new Mailbox(MailAddress.Parse("sam@example.net"))],
            InReplyTo = "<a@acme.example>",
            References = ["<a@acme.example>"],
            Headers = [new MessageHeader("X-Order", "42"), new MessageHeader("List-Id", "<l.acme.example>")],
        });
        Assert.Equal(
            """
            From: "Acme, Inc." <receipts@acme.example>
            Reply-To: help@acme.example
            To: jane@example.org
            Cc: sam@example.net
            Subject: Hello
            Date: Sun, 22 Nov 2026 10:00:00 +0000
            Message-ID: ID
            In-Reply-To: <a@acme.example>
            References: <a@acme.example>
            X-Order: 42
            List-Id: <l.acme.example>
            MIME-Version: 1.0
            Content-Type: text/plain; charset=us-ascii
            Content-Transfer-Encoding: 7bit


            """.ReplaceLineEndings("\r\n"),
            Encoding.ASCII.GetString(composed.Header).Replace(composed.MessageId, "ID", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_message_id_is_made_at_random_under_the_domain_of_the_author()
    {
        var draft = Simple with { From = new Mailbox(MailAddress.Parse("a@exämple.org")) };
        var (first, _) = await ComposeAsync(draft);
        var (second, _) = await ComposeAsync(draft);
        Assert.Matches("^<[A-Za-z0-9_-]{22}@xn--exmple-cua.org>$", first.MessageId);
        Assert.NotEqual(first.MessageId, second.MessageId);
        Assert.Equal("<m42@acme.example>", (await ComposeAsync(Simple with { MessageId = "<m42@acme.example>" })).Composed.MessageId);
        Assert.Equal("m42@acme.example", (await ReadBackAsync(Simple with { MessageId = "<m42@acme.example>" })).MessageId);
    }

    [Theory]
    [InlineData("2026-11-22T10:00:00Z", "Sun, 22 Nov 2026 10:00:00 +0000")]
    [InlineData("2026-01-02T03:04:05-09:30", "Fri, 2 Jan 2026 03:04:05 -0930")]
    [InlineData("2026-01-02T03:04:05+05:45", "Fri, 2 Jan 2026 03:04:05 +0545")]
    public async Task The_date_is_written_as_mail_has_it(string date, string written)
    {
        var message = await ReadBackAsync(Simple with { Date = DateTimeOffset.Parse(date, System.Globalization.CultureInfo.InvariantCulture) });
        Assert.Equal(written, message.Headers[HeaderId.Date]);
    }

    [Fact]
    public Task Any_subject_name_and_header_reads_back_as_it_was() =>
        Gen.Select(Texts, Texts, Texts).ForEachAsync(
            400,
            async input =>
            {
                var (subject, name, value) = input;
                var message = await ReadBackAsync(Simple with
                {
                    Subject = subject,
                    From = new Mailbox(name, MailAddress.Parse("receipts@acme.example")),
                    To = [new Mailbox(name, MailAddress.Parse("a@b.example")), new Mailbox(name, MailAddress.Parse("\"c d\"@b.example"))],
                    Headers = [new MessageHeader("X-" + new string('h', 70), value)],
                });
                // MimeKit trims what it reads.
                Assert.Equal(subject.Trim(), (message.Subject ?? "").Trim());
                Assert.Equal([name.Trim(), name.Trim(), name.Trim()], message.From.Mailboxes.Concat(message.To.Mailboxes).Select(each => (each.Name ?? "").Trim()));
                Assert.Equal("a@b.example, \"c d\"@b.example", string.Join(", ", message.To.Mailboxes.Select(each => each.Address)));
                Assert.Equal(value.Trim(), message.Headers["X-" + new string('h', 70)]!.Trim());
            });

    [Theory]
    [InlineData("Your receipt ☺", "=?utf-8?q?Your_receipt_=E2=98=BA?=")]
    [InlineData("中文中文", "=?utf-8?b?5Lit5paH5Lit5paH?=")]
    [InlineData("plain", "plain")]
    public async Task A_subject_is_encoded_only_where_it_must_be(string subject, string written)
    {
        var (composed, _) = await ComposeAsync(Simple with { Subject = subject });
        Assert.Contains($"\r\nSubject: {written}\r\n", Encoding.ASCII.GetString(composed.Header), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Encoded_words_are_no_longer_than_the_standard_allows_and_lines_fold_at_78()
    {
        var (composed, _) = await ComposeAsync(Simple with
        {
            Subject = string.Join(' ', Enumerable.Repeat("größer", 100)),
            To = [.. Enumerable.Range(0, 50).Select(n => new Mailbox($"Näme {n} 中文", MailAddress.Parse($"recipient{n}@example.org")))],
            References = [.. Enumerable.Range(0, 100).Select(n => $"<reference.number.{n}@acme.example>")],
            Headers = [new MessageHeader("X-Long", string.Join(' ', Enumerable.Repeat("words", 100)))],
            Attachments = [File(new string('ä', 200) + ".pdf", "application/pdf", [])],
        });
        var lines = Encoding.ASCII.GetString(composed.Header).Split("\r\n");
        Assert.All(lines, line => Assert.InRange(line.Length, 0, 78));
        // RFC 2047 §2.
        Assert.All(lines.SelectMany(line => line.Split(' ')).Where(word => word.StartsWith("=?", StringComparison.Ordinal)), word => Assert.InRange(word.Length, 0, 75));
    }

    [Fact]
    public async Task A_long_url_in_a_list_field_is_not_encoded()
    {
        var url = $"<https://acme.example/{new string('u', 700)}>";
        var (composed, _) = await ComposeAsync(Simple with { Headers = [new MessageHeader("List-Unsubscribe", url)] });
        Assert.Contains(url, Encoding.ASCII.GetString(composed.Header), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_message_to_blind_recipients_only_says_so()
    {
        var message = await ReadBackAsync(Simple with { To = [] });
        Assert.Equal("undisclosed-recipients:;", message.Headers[HeaderId.To]);
        Assert.DoesNotContain(message.Headers, each => each.Id == HeaderId.Bcc);
        Assert.Null((await ReadBackAsync(Simple with { To = [], Cc = Simple.To })).Headers[HeaderId.To]);
    }

    [Theory]
    [InlineData("from", "jäne@example.org", true)]
    [InlineData("replyTo", "jäne@example.org", true)]
    [InlineData("to", "jäne@exämple.org", true)]
    [InlineData("cc", "用户@例子.example", true)]
    [InlineData("from", "jane@exämple.org", false)]
    [InlineData("replyTo", "jane@exämple.org", false)]
    [InlineData("to", "jane@exämple.org", false)]
    [InlineData("cc", "\"jane doe\"@exämple.org", false)]
    public async Task Smtputf8_is_needed_for_a_local_part_outside_ascii_and_for_nothing_else(string where, string address, bool needed)
    {
        var mailbox = new Mailbox("Jäne", MailAddress.Parse(address));
        var draft = Simple with { Subject = "Größe", Text = "ß" };
        draft = where switch
        {
            "from" => draft with { From = mailbox },
            "replyTo" => draft with { ReplyTo = [mailbox] },
            "to" => draft with { To = [mailbox] },
            _ => draft with { Cc = [mailbox] },
        };
        var (composed, _) = await ComposeAsync(draft);
        Assert.Equal(needed, composed.NeedsSmtpUtf8);
        Assert.Equal(needed, !Ascii.IsValid(composed.Header));
        var header = Encoding.UTF8.GetString(composed.Header);
        Assert.Contains(needed ? $"<{address}>" : "@xn--exmple-cua.org>", header, StringComparison.Ordinal);
        Assert.Contains("Subject: =?utf-8?b?R3LDtsOfZQ==?=", header, StringComparison.Ordinal);
        await ReadBackAsync(draft);
    }
}
