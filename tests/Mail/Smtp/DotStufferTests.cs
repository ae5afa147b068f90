using System.Buffers;
using System.Text;
using MoxApi.Mail.Smtp;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

public class DotStufferTests
{
    [Theory]
    [InlineData("", "")]
    [InlineData("a\r\n", "a\r\n")]
    [InlineData("a", "a\r\n")]
    [InlineData(".", "..\r\n")]
    [InlineData(".\r\n", "..\r\n")]
    [InlineData("..\r\na.b\r\n.c", "...\r\na.b\r\n..c\r\n")]
    [InlineData("a\r\n.\r\nb\r\n", "a\r\n..\r\nb\r\n")]
    [InlineData("a\nb\n", "a\r\nb\r\n")]
    [InlineData("a\rb\r", "a\r\nb\r\n")]
    [InlineData("a\n.\nb", "a\r\n..\r\nb\r\n")]
    [InlineData("a\r.\rb", "a\r\n..\r\nb\r\n")]
    [InlineData("a\r\r\nb", "a\r\n\r\nb\r\n")]
    [InlineData("a\n\rb", "a\r\n\r\nb\r\n")]
    [InlineData("\r\n\r\n", "\r\n\r\n")]
    public void Content_leaves_with_its_dots_doubled_and_no_lone_CR_or_LF_wherever_it_is_split(string content, string expected)
    {
        Assert.Equal(expected, Stuff(content));
        for (var i = 0; i <= content.Length; i++)
        {
            for (var j = i; j <= content.Length; j++) Assert.Equal(expected, Stuff(content[..i], content[i..j], content[j..]));
        }
    }

    [Fact]
    public void Any_content_in_any_pieces_is_what_the_simple_rule_makes_of_the_whole()
    {
        string[] pieces = ["\r\n", "\r", "\n", ".", "..", "a", "line", "é", "\0", ""];
        var random = new Random(20261123);
        for (var i = 0; i < 20_000; i++)
        {
            var chunks = random.GetItems(pieces, random.Next(25));
            Assert.Equal(Simply(string.Concat(chunks)), Stuff(chunks));
        }
    }

    private static string Simply(string content)
    {
        var lines = content.Replace("\r\n", "\n").Replace('\r', '\n').Split('\n').ToList();
        if (lines[^1].Length == 0) lines.RemoveAt(lines.Count - 1);
        return string.Concat(lines.Select(static l => (l.StartsWith('.') ? "." : "") + l + "\r\n"));
    }

    private static string Stuff(params string[] chunks)
    {
        var output = new ArrayBufferWriter<byte>();
        var stuffer = new DotStuffer();
        foreach (var chunk in chunks) stuffer.Write(Encoding.UTF8.GetBytes(chunk), output);
        stuffer.Finish(output);
        return Encoding.UTF8.GetString(output.WrittenSpan);
    }
}
