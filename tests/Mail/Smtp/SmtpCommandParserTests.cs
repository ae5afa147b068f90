using System.Text;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Grammar;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpCommandParserTests
{
    [Theory]
    [InlineData("EHLO client.example", "EHLO client.example")]
    [InlineData("ehlo [192.0.2.1]", "EHLO [192.0.2.1]")]
    [InlineData("HELO [IPv6:2001:db8::1]", "HELO [IPv6:2001:db8::1]")]
    [InlineData("EHLO DESKTOP_1  ", "EHLO DESKTOP_1")]
    [InlineData("MAIL FROM:<>", "MAIL FROM:<>")]
    [InlineData("mail from:<jane@example.org>", "MAIL FROM:<jane@example.org>")]
    [InlineData("MAIL FROM: <jane@example.org>", "MAIL FROM:<jane@example.org>")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=1234 BODY=8BITMIME", "MAIL FROM:<jane@example.org> SIZE=1234 BODY=8BITMIME")]
    [InlineData("MAIL FROM:<jane@example.org> body=7bit size=0", "MAIL FROM:<jane@example.org> SIZE=0 BODY=7BIT")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=99999999999999999999", "MAIL FROM:<jane@example.org> SIZE=9223372036854775807")]
    [InlineData("MAIL FROM:<j\u00f6rg@ex\u00e4mple.org> SMTPUTF8", "MAIL FROM:<j\u00f6rg@ex\u00e4mple.org> SMTPUTF8")]
    [InlineData("MAIL FROM:<@a.example,@b.example:jane@example.org>", "MAIL FROM:<jane@example.org>")]
    [InlineData("MAIL FROM:<\"jane doe\"@example.org>", "MAIL FROM:<\"jane doe\"@example.org>")]
    [InlineData("MAIL FROM:<\"a>b <c\"@example.org> SIZE=1", "MAIL FROM:<\"a>b <c\"@example.org> SIZE=1")]
    [InlineData("MAIL FROM:<\"a\\\">b\"@example.org>", "MAIL FROM:<\"a\\\">b\"@example.org>")]
    [InlineData("MAIL FROM:<\"@x:y\"@example.org>", "MAIL FROM:<\"@x:y\"@example.org>")]
    [InlineData("RCPT TO:<jane@example.org>", "RCPT TO:<jane@example.org>")]
    [InlineData("RCPT TO:<@a.example:jane@example.org>", "RCPT TO:<jane@example.org>")]
    [InlineData("RCPT TO:<postMASTER>", "RCPT TO:<Postmaster>")]
    [InlineData("RCPT TO:<\"jane\"@example.org>", "RCPT TO:<jane@example.org>")]
    [InlineData("DATA", "DATA")]
    [InlineData("data ", "DATA")]
    [InlineData("RSET", "RSET")]
    [InlineData("NOOP hello there", "NOOP")]
    [InlineData("QUIT", "QUIT")]
    [InlineData("VRFY jane", "VRFY jane")]
    [InlineData("HELP MAIL", "HELP")]
    [InlineData("EXPN staff", "EXPN")]
    [InlineData("starttls", "STARTTLS")]
    [InlineData("AUTH PLAIN AGEAYg==", "AUTH")]
    [InlineData("BDAT 3 LAST", "BDAT")]
    public void A_command_is_read_and_written_in_its_plainest_form(string line, string plain) => Assert.Equal(plain, Parse(line).ToString());

    [Theory]
    [InlineData("", 500, "5.5.2")]
    [InlineData(" QUIT", 500, "5.5.2")]
    [InlineData("HELLO you", 500, "5.5.2")]
    [InlineData("MAILFROM:<a@b>", 500, "5.5.2")]
    [InlineData("QUIT\r", 500, "5.5.2")]
    [InlineData("NOOP\nQUIT", 500, "5.5.2")]
    [InlineData("NOOP \0", 500, "5.5.2")]
    [InlineData("EHLO", 501, "5.5.4")]
    [InlineData("EHLO a b", 501, "5.5.4")]
    [InlineData("EHLO (comment)", 501, "5.5.4")]
    [InlineData("EHLO ex\u00e4mple.org", 501, "5.5.4")]
    [InlineData("DATA now", 501, "5.5.4")]
    [InlineData("RSET 1", 501, "5.5.4")]
    [InlineData("VRFY", 501, "5.5.4")]
    [InlineData("MAIL", 501, "5.5.4")]
    [InlineData("MAIL FROM:", 501, "5.5.4")]
    [InlineData("MAIL FROM:jane@example.org", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org", 501, "5.5.4")]
    [InlineData("MAIL FROM:<\"jane@example.org>", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org>SIZE=1", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=-1", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=999999999999999999999", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> SIZE=1 size=2", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> BODY=BINARYMIME", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> SMTPUTF8=yes", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> X-\u00d6=1", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> AUTH=<>", 555, "5.5.4")]
    [InlineData("MAIL FROM:<jane@example.org> RET=HDRS", 555, "5.5.4")]
    [InlineData("RCPT TO:<jane@example.org> NOTIFY=NEVER", 555, "5.5.4")]
    [InlineData("MAIL FROM:<@a.example>", 501, "5.5.4")]
    [InlineData("MAIL FROM:<@a.example:>", 501, "5.5.4")]
    [InlineData("MAIL FROM:<@a.example,b:jane@example.org>", 501, "5.5.4")]
    [InlineData("MAIL FROM:<jane>", 553, "5.1.7")]
    [InlineData("MAIL FROM:<postmaster>", 553, "5.1.7")]
    [InlineData("MAIL FROM:<jane@[192.0.2.1]>", 553, "5.1.7")]
    [InlineData("MAIL FROM:<j\u00f6rg@example.org>", 553, "5.6.7")]
    [InlineData("RCPT TO:<>", 553, "5.1.3")]
    [InlineData("RCPT TO:<jane@[IPv6:2001:db8::1]>", 553, "5.1.3")]
    [InlineData("RCPT TO:<ja..ne@example.org>", 553, "5.1.3")]
    [InlineData("RCPT TO:<j\u00f6rg@example.org>", 553, "5.6.7")]
    [InlineData("RCPT TO:<jane@ex\u00e4mple.org>", 553, "5.6.7")]
    public void What_is_no_command_gets_the_reply_of_the_standard(string line, int code, string enhanced)
    {
        Assert.False(SmtpCommandParser.TryParse(Encoding.UTF8.GetBytes(line), default, out _, out var fault));
        Assert.Equal((code, enhanced), (fault.Code, fault.Enhanced.ToString()));
    }

    [Theory]
    [InlineData("MAIL FROM: <jane@example.org>")]
    [InlineData("MAIL FROM:<jane@example.org>  SIZE=1")]
    [InlineData("EHLO 192.0.2.1:25")]
    public void Pedantic_mode_refuses_what_is_harmless_and_not_allowed(string line)
    {
        var octets = Encoding.UTF8.GetBytes(line);
        Assert.True(SmtpCommandParser.TryParse(octets, default, out _, out _));
        Assert.False(SmtpCommandParser.TryParse(octets, new(Pedantic: true), out _, out var fault));
        Assert.Equal(501, fault.Code);
    }

    [Fact]
    public void Quoting_is_taken_off_addresses() => Assert.Equal(MailAddress.Parse("jane@example.org"), ((RcptCommand)Parse("RCPT TO:<\"j\\ane\"@example.org>")).ForwardPath);

    [Fact]
    public void A_recipient_in_utf8_is_read_in_a_transaction_with_SMTPUTF8()
    {
        Assert.True(SmtpCommandParser.TryParse("RCPT TO:<j\u00f6rg@example.org>"u8, new(SmtpUtf8: true), out var command, out _));
        Assert.Equal("j\u00f6rg", ((RcptCommand)command).ForwardPath!.LocalPart);
    }

    [Fact]
    public void Octets_that_are_not_utf8_are_refused()
    {
        Assert.False(SmtpCommandParser.TryParse([.. "MAIL FROM:<j"u8, 0xf6, .. "rg@example.org> SMTPUTF8"u8], default, out _, out var fault));
        Assert.Equal(500, fault.Code);
    }

    [Fact]
    public void A_line_past_the_cap_is_refused()
    {
        Assert.True(SmtpCommandParser.TryParse(Encoding.ASCII.GetBytes("NOOP " + new string('x', SmtpCommandParser.MaxLineOctets - 5)), default, out _, out _));
        Assert.False(SmtpCommandParser.TryParse(Encoding.ASCII.GetBytes("NOOP " + new string('x', SmtpCommandParser.MaxLineOctets - 4)), default, out _, out _));
    }

    [Fact]
    public void Whatever_is_read_reads_the_same_after_it_was_written()
    {
        string[] pieces =
        [
            "MAIL FROM:", "RCPT TO:", "EHLO ", "HELO ", "VRFY ", "DATA", "NOOP", "<", ">", "@", "\"", "\\", ":", ",", " ", "a", "b.example", "@b.example",
            "jane@example.org", "<jane@example.org>", "<>", "<Postmaster>", " SIZE=", " BODY=8BITMIME", " SMTPUTF8", "=", "12", "\u00f6", "\u212a", ".",
            "[192.0.2.1]", "\t", "\r", "\n",
        ];
        var random = new Random(5321);
        var read = 0;
        for (var n = 0; n < 50_000; n++)
        {
            var line = string.Concat(random.GetItems(pieces, random.Next(1, 10)));
            if (random.Next(2) == 0) line = random.GetItems(pieces[..7], 1)[0] + line;
            var options = new SmtpGrammarOptions(Pedantic: n % 2 == 0, SmtpUtf8: n % 3 == 0);
            if (!SmtpCommandParser.TryParse(Encoding.UTF8.GetBytes(line), options, out var command, out var fault))
            {
                Assert.True(fault.IsPermanent && fault.Enhanced is { Class: 5 }, line);
                continue;
            }
            read++;
            Assert.True(SmtpCommandParser.TryParse(Encoding.UTF8.GetBytes(command.ToString()!), options, out var again, out _), line);
            Assert.Equal(command, again);
        }
        Assert.True(read > 1000, $"only {read} lines were commands");
    }

    private static SmtpCommand Parse(string line)
    {
        Assert.True(SmtpCommandParser.TryParse(Encoding.UTF8.GetBytes(line), default, out var command, out var fault), fault?.ToString());
        return command;
    }
}
