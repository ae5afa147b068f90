using System.Buffers;
using System.Text;
using MoxApi.Mail.Smtp.Grammar;
using Xunit;

namespace MoxApi.Tests.Mail.Smtp;

public class DataDecoderTests
{
    private const string End = "\r\n.\r\n";

    public static TheoryData<string, string> Messages => new()
    {
        { ".\r\n", "" },
        { "a\r\n.\r\n", "a\r\n" },
        { "\r\n.\r\n", "\r\n" },
        { "..\r\n.\r\n", ".\r\n" },
        { "..a\r\n...\r\n.\r\n", ".a\r\n..\r\n" },
        { ".a\r\n.\r\n", "a\r\n" }, // RFC 5321 §4.5.2: the dot is removed although nobody stuffed it.
        { "a.\r\n.\r\n", "a.\r\n" },
        { "a\nb\r\n.\r\n", "a\r\nb\r\n" },
        { "a\n\nb\n\r\n.\r\n", "a\r\n\r\nb\r\n\r\n" },
        { "a\n.b\r\n.\r\n", "a\r\n.b\r\n" },
        { "a\n..b\r\n.\r\n", "a\r\n..b\r\n" }, // Dots are stuffed after CRLF alone.
        { "\0\u00ff\r\n.\r\n", "\0\u00ff\r\n" },
    };

    // What servers other than this one have taken for a message's end.
    public static TheoryData<string, DataFault> Smuggling => new()
    {
        { "\n.\n", DataFault.LfBesideLoneDot },
        { "\n.\r\n", DataFault.LfBesideLoneDot },
        { "\r\n.\n", DataFault.LfBesideLoneDot },
        { "\r.\r", DataFault.BareCr },
        { "\r.\r\n", DataFault.BareCr },
        { "\r.\n", DataFault.BareCr },
        { "\r\n.\r", DataFault.BareCr },
        { "\n.\r", DataFault.LfBesideLoneDot },
        { "\r\r\n.\r\r\n", DataFault.BareCr },
        { "\r\n.\r\r\n", DataFault.BareCr },
        { "\r\n\0.\r\r\n", DataFault.BareCr },
        { "x\ry", DataFault.BareCr },
        { "\r\n.\n.\r\n", DataFault.LfBesideLoneDot },
    };

    [Theory]
    [MemberData(nameof(Messages))]
    public void A_message_is_taken_out_of_its_transfer_form_however_it_is_split(string sent, string message) =>
        AtEverySplit(sent + "QUIT\r\n", outcome =>
        {
            Assert.Equal(message, outcome.Text);
            Assert.Equal(DataFault.None, outcome.Fault);
            Assert.Equal(sent.Length, outcome.Consumed);
        });

    [Theory]
    [MemberData(nameof(Smuggling))]
    public void What_others_take_for_the_end_is_refused_and_read_to_the_real_end(string form, DataFault fault)
    {
        var sent = "one" + form + "MAIL FROM:<evil@example.org>\r\nDATA\r\ntwo" + End;
        AtEverySplit(sent + "QUIT\r\n", outcome =>
        {
            Assert.Equal(fault, outcome.Fault);
            Assert.Equal(sent.Length, outcome.Consumed);
        });
    }

    [Fact]
    public void The_end_is_seen_after_a_doubled_CR() => AtEverySplit("a\r\r\n.\r\nQUIT\r\n", outcome =>
    {
        Assert.Equal(DataFault.BareCr, outcome.Fault);
        Assert.Equal("a\r\r\n.\r\n".Length, outcome.Consumed);
    });

    [Fact]
    public void Pedantic_mode_refuses_a_bare_LF() => Assert.Equal(DataFault.BareLf, Decode(new DataDecoder(pedantic: true), ["a\nb" + End]).Fault);

    [Fact]
    public void After_a_discard_nothing_is_written_and_the_end_is_still_found()
    {
        var decoder = new DataDecoder();
        decoder.Discard();
        var outcome = Decode(decoder, ["a\r\n", "b" + End]);
        Assert.Equal(("", 9L, true), (outcome.Text, outcome.Consumed, decoder.IsComplete));
    }

    [Fact]
    public void Any_octets_give_the_same_message_in_one_piece_and_in_many()
    {
        var random = new Random(5321);
        for (var n = 0; n < 50_000; n++)
        {
            var text = new string(random.GetItems("\r\n.a\0".AsSpan(), random.Next(40))) + End;
            var whole = Decode(new DataDecoder(), [text]);
            Assert.Equal(whole, Decode(new DataDecoder(), text.Chunk(random.Next(1, 6)).Select(piece => new string(piece))));
            // The end is the first CRLF.CRLF, of which DATA's own CRLF may be the beginning, and nothing else.
            Assert.Equal(("\r\n" + text).IndexOf(End, StringComparison.Ordinal) + End.Length - 2, whole.Consumed);
        }
    }

    [Fact]
    public void A_message_survives_stuffing_and_decoding()
    {
        var random = new Random(5321);
        for (var n = 0; n < 10_000; n++)
        {
            var lines = Enumerable.Range(0, random.Next(8)).Select(_ => new string(random.GetItems(".a ".AsSpan(), random.Next(6)))).ToList();
            var sent = string.Concat(lines.Select(line => (line.StartsWith('.') ? "." : "") + line + "\r\n")) + ".\r\n";
            Assert.Equal(string.Concat(lines.Select(line => line + "\r\n")), Decode(new DataDecoder(), [sent]).Text);
        }
    }

    private static void AtEverySplit(string sent, Action<Outcome> check)
    {
        for (var at = 0; at <= sent.Length; at++) check(Decode(new DataDecoder(), [sent[..at], sent[at..]]));
        check(Decode(new DataDecoder(), sent.Select(octet => octet.ToString())));
    }

    private static Outcome Decode(DataDecoder decoder, IEnumerable<string> pieces)
    {
        var output = new ArrayBufferWriter<byte>();
        long consumed = 0;
        foreach (var piece in pieces) consumed += decoder.Decode(Encoding.Latin1.GetBytes(piece), output);
        Assert.True(decoder.IsComplete);
        return new Outcome(Encoding.Latin1.GetString(output.WrittenSpan), decoder.Fault, consumed);
    }

    private sealed record Outcome(string Text, DataFault Fault, long Consumed);
}
