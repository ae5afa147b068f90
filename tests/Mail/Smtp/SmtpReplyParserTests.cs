using System.Text;
using MoxApi.Mail.Smtp;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpReplyParserTests
{
    [Theory]
    [InlineData("250 Ok\r\n", 250, null, "Ok")]
    [InlineData("250\r\n", 250, null, "")]
    [InlineData("250 \r\n", 250, null, "")]
    [InlineData("250 Ok\n", 250, null, "Ok")]
    [InlineData("550 5.1.1 No such user\r\n", 550, "5.1.1", "No such user")]
    [InlineData("550 5.1.1\r\n", 550, "5.1.1", "")]
    [InlineData("550-5.1.1 No such user.\r\n550-5.1.1 Really\r\n550 5.1.1 none.\r\n", 550, "5.1.1", "No such user.\nReally\nnone.")]
    [InlineData("550-5.1.1 No such user.\r\n550 See help\r\n", 550, "5.1.1", "No such user.\nSee help")]
    [InlineData("450 5.1.1 The class contradicts the code\r\n", 450, null, "5.1.1 The class contradicts the code")]
    [InlineData("250-mx.test\r\n250-PIPELINING\r\n250 SIZE 0\r\n", 250, null, "mx.test\nPIPELINING\nSIZE 0")]
    [InlineData("250-\r\n250 x\r\n", 250, null, "\nx")]
    public void A_reply_is_read(string input, int code, string? enhanced, string text)
    {
        var reply = Parse(Encoding.UTF8.GetBytes(input)).Reply;

        Assert.NotNull(reply);
        Assert.Equal(code, reply.Code);
        Assert.Equal(enhanced, reply.Enhanced?.ToString());
        Assert.Equal(text, reply.Text);
    }

    [Theory]
    [InlineData("hello\r\n")]
    [InlineData("\r\n")]
    [InlineData("25 Ok\r\n")]
    [InlineData("150 Ok\r\n")]
    [InlineData("650 Ok\r\n")]
    [InlineData("2500 Ok\r\n")]
    [InlineData("250_Ok\r\n")]
    [InlineData("2５0 Ok\r\n")]
    [InlineData("250-Ok\r\n251 Ok\r\n")]
    [InlineData("250-Ok\r\nhello\r\n")]
    [InlineData("SSH-2.0-OpenSSH_9.2\r\n")]
    public void What_is_no_reply_is_a_fault(string input) => Assert.NotNull(Parse(Encoding.UTF8.GetBytes(input)).Fault);

    [Fact]
    public void A_text_for_terminals_is_cleaned_and_what_is_not_utf8_is_replaced()
    {
        var reply = Parse([.. "550 a\u001b[31mb\0c\td\r"u8, 0xff, .. "é\u0085\r\n"u8]).Reply;

        Assert.Equal("a[31mbc d\ufffdé", reply?.Text);
    }

    [Theory]
    [InlineData(2048, true)]
    [InlineData(2049, false)]
    public void A_line_has_at_most_2048_octets(int octets, bool passes)
    {
        var line = Encoding.ASCII.GetBytes("250 " + new string('x', octets - 6) + "\r\n");

        Assert.Equal(passes, Parse(line).Reply is not null);
        Assert.Equal(passes, ParseSplit(line).Reply is not null);
    }

    [Fact]
    public void A_line_without_end_is_a_fault_when_it_is_too_long() =>
        Assert.NotNull(Parse(Encoding.ASCII.GetBytes(new string('2', 2048))).Fault);

    [Theory]
    [InlineData(128, true)]
    [InlineData(129, false)]
    public void A_reply_has_at_most_128_lines(int lines, bool passes)
    {
        var input = string.Concat(Enumerable.Repeat("250-x\r\n", lines - 1)) + "250 x\r\n";

        Assert.Equal(passes, Parse(Encoding.ASCII.GetBytes(input)).Reply is not null);
    }

    [Fact]
    public void A_reply_has_at_most_64_KiB()
    {
        var input = string.Concat(Enumerable.Repeat($"250-{new string('x', 2000)}\r\n", 40)) + "250 x\r\n";

        Assert.NotNull(Parse(Encoding.ASCII.GetBytes(input)).Fault);
    }

    [Fact]
    public void After_a_reply_the_next_one_starts_afresh()
    {
        var parser = new SmtpReplyParser();
        var input = "250-2.1.0 a\r\n250 2.1.0 b\r\n354 go\r\n"u8;

        parser.Read(input, out var consumed, out _, out _);
        parser.Read(input[consumed..], out _, out var reply, out _);

        Assert.Equal(new SmtpReply(354, null, "go"), reply);
    }

    [Fact]
    public void Any_input_gets_the_same_verdict_when_it_comes_octet_by_octet()
    {
        string[] pieces = ["250", "250-", "250 ", "550 5.1.1 x", "-", " ", "\r\n", "\n", "\r", "4.2.1 ", "é", "\0", "2", "999", "text"];
        var random = new Random(20261123);
        for (var i = 0; i < 20_000; i++)
        {
            var input = Encoding.UTF8.GetBytes(string.Concat(random.GetItems(pieces, random.Next(13))));
            Assert.Equal(Parse(input), ParseSplit(input));
        }
    }

    private static (SmtpReply? Reply, string? Fault) Parse(byte[] input)
    {
        new SmtpReplyParser().Read(input, out _, out var reply, out var fault);
        return (reply, fault);
    }

    private static (SmtpReply? Reply, string? Fault) ParseSplit(byte[] input)
    {
        var parser = new SmtpReplyParser();
        var start = 0;
        for (var end = 1; end <= input.Length; end++)
        {
            var parse = parser.Read(input.AsSpan(start, end - start), out var consumed, out var reply, out var fault);
            if (parse != SmtpReplyParse.Incomplete) return (reply, fault);
            start += consumed;
        }
        return (null, null);
    }
}
