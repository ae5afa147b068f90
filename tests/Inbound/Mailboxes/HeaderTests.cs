using System.Text;
using MoxApi.Inbound.Mailboxes;
using Xunit;

namespace MoxApi.Tests.Inbound.Mailboxes;

public class HeaderTests
{
    [Theory]
    [InlineData("A: b\r\n\r\nbody", 8)]
    [InlineData("A: b\r\n\r\n", 8)]
    [InlineData("A: b\r\n", 6)]
    [InlineData("\r\n\r\n\r\n", 4)]
    [InlineData("", 0)]
    public async Task The_header_ends_with_the_first_empty_line(string message, int length)
    {
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(message));
        Assert.Equal(message[..length], Encoding.ASCII.GetString((await HeaderBlock.ReadAsync(stream, CancellationToken.None))!));
        Assert.Equal(length, stream.Position);
    }

    [Fact]
    public async Task The_empty_line_is_found_wherever_reads_are_cut()
    {
        for (var length = 4090; length < 4102; length++)
        {
            var header = new string('x', length - 4) + "\r\n\r\n";
            using var stream = new MemoryStream(Encoding.ASCII.GetBytes(header + "body"));
            Assert.Equal(length, (await HeaderBlock.ReadAsync(stream, CancellationToken.None))!.Length);
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(1, false)]
    public async Task A_header_has_a_cap(int over, bool taken)
    {
        using var stream = new MemoryStream(Encoding.ASCII.GetBytes(new string('x', HeaderBlock.MaxOctets - 4 + over) + "\r\n\r\nbody"));
        Assert.Equal(taken, await HeaderBlock.ReadAsync(stream, CancellationToken.None) is not null);
    }

    [Fact]
    public void A_summary_is_decoded() => Assert.Equal(
        new HeaderSummary("<a@b.example>", "J\u00f6rg M <joerg@example.org>", "Gr\u00fc\u00dfe an alle"),
        Read("Received: x\r\nFrom: =?utf-8?q?J=C3=B6rg?= M <joerg@example.org>, other@example.org\r\nSubject: =?utf-8?b?R3LDvMOfZQ==?=\r\n an alle\r\nMessage-ID:\r\n <a@b.example>\r\n\r\n"));

    [Theory]
    [InlineData("")]
    [InlineData("\r\n")]
    [InlineData("no field at all\r\n\r\n")]
    [InlineData("From: <\r\nMessage-ID: <\r\n\r\n")]
    public void A_malformed_header_has_an_empty_summary(string header) => Assert.Equal(new HeaderSummary("", "", ""), Read(header));

    [Fact]
    public void What_a_database_cannot_hold_is_left_out() => Assert.Equal("a b", Read("Subject: =?utf-8?q?a=00_=07b?=\r\n\r\n").Subject);

    [Fact]
    public void Long_fields_are_cut() => Assert.Equal(998, Read("Subject: " + new string('x', 100_000) + "\r\n\r\n").Subject.Length);

    [Fact]
    public void Random_headers_give_text_that_utf8_can_hold()
    {
        var random = new Random(5322);
        string[] pieces = ["From: ", "Subject: ", "Message-ID: ", "\r\n", "\r\n", " ", "<", ">", "@", ",", ";", ":", "\"", "(", ")", "\\", "=?utf-8?q?", "=?utf-8?b?", "?=", "=ED=A0=80", "\0", "\u00ff", "a.b"];
        for (var n = 0; n < 5_000; n++)
        {
            var summary = HeaderSummary.Read(Encoding.Latin1.GetBytes(string.Concat(random.GetItems(pieces, random.Next(30)))));
            var text = summary.MessageId + summary.From + summary.Subject;
            Assert.Equal(text, Encoding.UTF8.GetString(new UTF8Encoding(false, throwOnInvalidBytes: true).GetBytes(text)));
            Assert.DoesNotContain('\0', text);
        }
    }

    private static HeaderSummary Read(string header) => HeaderSummary.Read(Encoding.ASCII.GetBytes(header));
}
