using System.Buffers;
using System.Text;
using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpReplyWriterTests
{
    [Fact]
    public void Each_line_has_the_code_and_the_enhanced_code() =>
        Assert.Equal("550-5.1.1 No such user\r\n550 5.1.1 here\r\n", Write(new SmtpReply(550, new(5, 1, 1), "No such user\nhere")));

    [Fact]
    public void Without_an_enhanced_code_there_is_the_text_alone() => Assert.Equal("220 mx ESMTP\r\n", Write(new SmtpReply(220, null, "mx ESMTP")));

    [Fact]
    public void No_text_ends_a_line_or_is_not_ASCII() => Assert.Equal("250 a?b?\r\n", Write(new SmtpReply(250, null, "a\rb\u00f6")));

    [Fact]
    public void No_line_has_more_than_512_octets() =>
        Assert.InRange(Write(new SmtpReply(550, new(5, 999, 999), new string('x', 5000))).Length, 480, 512);

    private static string Write(SmtpReply reply)
    {
        var output = new ArrayBufferWriter<byte>();
        SmtpReplyWriter.Write(output, reply);
        return Encoding.Latin1.GetString(output.WrittenSpan);
    }
}
