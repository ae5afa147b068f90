using System.IO.Pipelines;
using System.Text;
using System.Threading.Channels;
using MoxApi.Inbound.Connections;
using Xunit;

namespace MoxApi.Tests.Inbound.Connections;

public class LineReaderTests
{
    [Theory]
    [InlineData("a\r\nbc\r\n\r\n", "[a][bc][]$")]
    [InlineData("a\nb\rc\r\n", "[a\nb\rc]$")] // Only CRLF ends a line.
    [InlineData("a\r\r\n", "[a\r]$")]
    [InlineData("12345678\r\n123456789\r\nx\r\n", "[12345678]![x]$")]
    [InlineData("123456789012345678901234567890\r\r\nx\r\n", "![x]$")]
    [InlineData("unfinished", "$")]
    [InlineData("a\r\nunfinished\r", "[a]$")]
    [InlineData("", "$")]
    public async Task Lines_are_the_same_however_the_octets_are_split(string sent, string expected)
    {
        for (var at = 0; at <= sent.Length; at++) Assert.Equal(expected, await ReadAllAsync(sent[..at], sent[at..]));
        Assert.Equal(expected, await ReadAllAsync([.. sent.Select(octet => octet.ToString())]));
    }

    [Fact]
    public async Task Random_octets_are_read_the_same_in_one_piece_and_in_many()
    {
        var random = new Random(5321);
        for (var n = 0; n < 2_000; n++)
        {
            var sent = new string(random.GetItems("\r\n.ab".AsSpan(), random.Next(60)));
            Assert.Equal(await ReadAllAsync(sent), await ReadAllAsync([.. sent.Chunk(random.Next(1, 6)).Select(piece => new string(piece))]));
        }
    }

    [Fact]
    public async Task It_is_known_whether_a_further_line_is_in_memory()
    {
        var pipe = new Pipe();
        var reader = new LineReader(pipe.Reader, 8);
        Assert.False(reader.HasCompleteLine);
        await pipe.Writer.WriteAsync("a\r\nb\r\nc\r"u8.ToArray());
        Assert.True(reader.HasCompleteLine);
        Assert.Equal("a"u8.ToArray(), (await reader.ReadAsync(CancellationToken.None)).Octets);
        Assert.True(reader.HasCompleteLine);
        Assert.Equal("b"u8.ToArray(), (await reader.ReadAsync(CancellationToken.None)).Octets);
        Assert.False(reader.HasCompleteLine);
        await pipe.Writer.WriteAsync("\n"u8.ToArray());
        Assert.True(reader.HasCompleteLine);
        Assert.Equal("c"u8.ToArray(), (await reader.ReadAsync(CancellationToken.None)).Octets);
    }

    [Fact]
    public async Task A_line_without_end_does_not_stay_in_memory()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0)); // No back-pressure, as Kestrel has none for what was examined.
        var watched = new WatchedReader(pipe.Reader);
        var reading = new LineReader(watched, 2048).ReadAsync(CancellationToken.None).AsTask();
        var piece = Encoding.ASCII.GetBytes(new string('x', 1024));
        for (var n = 0; n < 64; n++)
        {
            await pipe.Writer.WriteAsync(piece);
            await watched.CaughtUpAsync((n + 1) * piece.Length);
        }
        await pipe.Writer.WriteAsync("\r\n"u8.ToArray());
        Assert.Equal(LineStatus.TooLong, (await reading.WaitAsync(TimeSpan.FromSeconds(30))).Status);
        Assert.InRange(watched.Largest, 2048, 2048 + (2 * piece.Length));
    }

    [Fact]
    public async Task A_line_that_never_ends_ends_the_reading()
    {
        var pipe = new Pipe(new PipeOptions(pauseWriterThreshold: 0));
        await pipe.Writer.WriteAsync(new byte[(1 << 20) + 4096]);
        var reading = new LineReader(pipe.Reader, 2048).ReadAsync(CancellationToken.None).AsTask();
        Assert.Equal(LineStatus.Closed, (await reading.WaitAsync(TimeSpan.FromSeconds(30))).Status);
    }

    // [line] for each line, ! for one too long, $ for the end.
    private static async Task<string> ReadAllAsync(params string[] pieces)
    {
        var pipe = new Pipe();
        var reader = new LineReader(pipe.Reader, 8);
        var writing = Task.Run(async () =>
        {
            foreach (var piece in pieces) await pipe.Writer.WriteAsync(Encoding.ASCII.GetBytes(piece));
            await pipe.Writer.CompleteAsync();
        });
        var said = new StringBuilder();
        while (true)
        {
            var line = await reader.ReadAsync(CancellationToken.None).AsTask().WaitAsync(TimeSpan.FromSeconds(30));
            said.Append(line.Status switch { LineStatus.Line => $"[{Encoding.ASCII.GetString(line.Octets)}]", LineStatus.TooLong => "!", _ => "$" });
            if (line.Status == LineStatus.Closed) break;
        }
        await writing;
        return said.ToString();
    }

    /// <summary>Notes how much was in the pipe at most, and how much has been looked at.</summary>
    private sealed class WatchedReader(PipeReader inner) : PipeReader
    {
        private readonly Channel<long> seen = Channel.CreateUnbounded<long>();
        private ReadResult last;
        private long consumed;

        public long Largest { get; private set; }

        public async Task CaughtUpAsync(long octets)
        {
            while (await seen.Reader.ReadAsync().AsTask().WaitAsync(TimeSpan.FromSeconds(30)) < octets) ;
        }

        public override async ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            last = await inner.ReadAsync(cancellationToken);
            Largest = Math.Max(Largest, last.Buffer.Length);
            return last;
        }

        public override bool TryRead(out ReadResult result) => inner.TryRead(out result);

        public override void AdvanceTo(SequencePosition consumed) => AdvanceTo(consumed, consumed);

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
            var known = this.consumed + last.Buffer.Length;
            this.consumed += last.Buffer.Slice(0, consumed).Length;
            inner.AdvanceTo(consumed, examined);
            seen.Writer.TryWrite(known);
        }

        public override void CancelPendingRead() => inner.CancelPendingRead();

        public override void Complete(Exception? exception = null) => inner.Complete(exception);
    }
}
