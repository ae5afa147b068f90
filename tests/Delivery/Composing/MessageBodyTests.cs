using System.Text;
using CsCheck;
using MimeKit;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Dkim;
using Xunit;
using static MoxApi.Tests.Delivery.Composing.Drafts;

namespace MoxApi.Tests.Delivery.Composing;

public class MessageBodyTests
{
    private static readonly MessageFile Pdf = File("receipt.pdf", "application/pdf", [1, 2, 3]);

    private static readonly MessageFile Logo = File("logo.png", "image/png", [4, 5, 6], "logo");

    [Theory]
    [InlineData(true, false, 0, 0, "text/plain")]
    [InlineData(false, true, 0, 0, "text/html")]
    [InlineData(true, true, 0, 0, "alternative(text/plain,text/html)")]
    [InlineData(false, true, 1, 0, "related(text/html,image/png)")]
    [InlineData(true, true, 2, 0, "related(alternative(text/plain,text/html),image/png,image/png)")]
    [InlineData(true, false, 0, 1, "mixed(text/plain,application/pdf)")]
    [InlineData(true, false, 1, 0, "mixed(text/plain,image/png)")]
    [InlineData(true, true, 0, 2, "mixed(alternative(text/plain,text/html),application/pdf,application/pdf)")]
    [InlineData(true, true, 1, 1, "mixed(related(alternative(text/plain,text/html),image/png),application/pdf)")]
    public async Task Each_level_of_parts_is_there_only_where_it_is_needed(bool text, bool html, int inline, int attached, string structure)
    {
        var message = await ReadBackAsync(Simple with
        {
            Text = text ? "text" : null,
            Html = html ? "<p>html</p>" : null,
            Attachments = [.. Enumerable.Repeat(Logo, inline), .. Enumerable.Repeat(Pdf, attached)],
        });
        Assert.Equal(structure, Describe(message.Body));
    }

    [Fact]
    public async Task Files_keep_their_content_type_name_and_place()
    {
        var message = await ReadBackAsync(Simple with { Html = "<img src=cid:logo>", Attachments = [Pdf, Logo, File(null, "text/csv; charset=utf-8; header=present", "é"u8.ToArray())] });
        var parts = message.BodyParts.OfType<MimePart>().ToList();
        Assert.Equal(["(none)", "(none)", "inline", "attachment", "attachment"], parts.Select(each => each.ContentDisposition?.Disposition ?? "(none)"));
        Assert.Equal(("logo", "logo.png"), (parts[2].ContentId, parts[2].FileName));
        Assert.Equal("receipt.pdf", parts[3].FileName);
        Assert.Equal("present", parts[4].ContentType.Parameters["header"]);
        Assert.Equal([[4, 5, 6], [1, 2, 3], "é"u8.ToArray()], parts.Skip(2).Select(Decode));
        Assert.Equal("multipart/alternative", ((Multipart)((Multipart)message.Body!)[0]).ContentType.Parameters["type"]);
    }

    [Fact]
    public Task Any_text_and_html_reads_back_with_crlf_line_ends() =>
        Gen.OneOf("a", "é", "☺", " ", "\t", "=", ".", "\r", "\n", "\r\n", "--", "From ", "\u001b", "\f", "\u0085", "\u2028", new string('x', 77), new string('y', 1000), "<p>")
            .Array[0, 30].Select(string.Concat).ForEachAsync(
            300,
            async text =>
            {
                var message = await ReadBackAsync(Simple with { Text = text, Html = text + "é", Attachments = [Pdf] });
                Assert.Equal(WithLineEnds(text), Encoding.UTF8.GetString(Decode(message.BodyParts.ElementAt(0))));
                Assert.Equal(WithLineEnds(text + "é"), Encoding.UTF8.GetString(Decode(message.BodyParts.ElementAt(1))));
                var alone = await ReadBackAsync(Simple with { Text = text });
                Assert.Equal(WithLineEnds(text), Encoding.UTF8.GetString(Decode(alone.Body)));
            });

    [Theory]
    [InlineData("Hello", "7bit")]
    [InlineData("Hellö, this is mostly ASCII", "quoted-printable")]
    [InlineData("\u001b[1m", "quoted-printable")]
    [InlineData("中文中文中文中文中文", "base64")]
    [InlineData("123456789 123456789 123456789 123456789 123456789 123456789 123456789 12345678", "7bit")]
    [InlineData("123456789 123456789 123456789 123456789 123456789 123456789 123456789 123456789", "quoted-printable")]
    public async Task A_text_is_encoded_only_where_seven_bits_and_short_lines_ask_for_it(string text, string encoding)
    {
        var message = await ReadBackAsync(Simple with { Text = text });
        Assert.Equal(encoding, message.Body!.Headers[HeaderId.ContentTransferEncoding]);
        Assert.Equal(Ascii.IsValid(text) ? "us-ascii" : "utf-8", message.Body!.ContentType.Charset);
    }

    [Fact]
    public Task Any_file_name_reads_back() =>
        Gen.OneOf("a", " ", "é", "☺", "中文", "'", "\"", "\\", "%20", "*", ";", "=", ".pdf", "/", new string('n', 100)).Array[1, 8].Select(string.Concat).ForEachAsync(
            300,
            async name =>
            {
                var message = await ReadBackAsync(Simple with { Attachments = [File(name, "application/pdf", [])] });
                Assert.Equal(name.Trim(), message.Attachments.OfType<MimePart>().Single().FileName); // MimeKit trims.
            });

    [Fact]
    public Task Any_content_type_and_id_is_refused_or_well_formed() =>
        Gen.Select(
            Gen.OneOf("text/plain", "image/", "a", ";", "; ", "=", "\"", "\\", "/", "*", "name=", "boundary=x", "charset=", "(", ")", "<", ">", ",", "%", "'", " ", new string('n', 100))
                .Array[0, 8].Select(string.Concat),
            Gen.Char[' ', '~'].Array[1, 6].Select(chars => new string(chars))).ForEachAsync(
            1000,
            async input =>
            {
                var (type, id) = input;
                var draft = Simple with { Html = "<p>", Attachments = [File("a", type, [1], id)] };
                if (MessageComposer.Check(draft).Any(each => each.Pointer.EndsWith("Id", StringComparison.Ordinal))) draft = draft with { Attachments = [File("a", type, [1], "a")] };
                if (MessageComposer.Check(draft).Count > 0) return;
                var file = (await ReadBackAsync(draft)).BodyParts.OfType<MimePart>().Last();
                Assert.Equal([1], Decode(file));
                Assert.Equal(draft.Attachments[0].ContentId, file.ContentId);
                Assert.StartsWith(file.ContentType.MimeType, type.Replace(" ", "", StringComparison.Ordinal), StringComparison.Ordinal);
            });

    [Fact]
    public Task Any_content_id_is_refused_or_is_the_one_that_the_html_names() =>
        Gen.OneOf("a", "logo", "1", ".", "@", "-", "*", "'", "/", "=", "~", "!", "#", "%", "?", "`", "{", "<", ">", " ", "(", "é", new string('i', 50)).Array[0, 6].Select(string.Concat).ForEachAsync(
            2000,
            async id =>
            {
                var draft = Simple with { Html = "<p>", Attachments = [File("a", "image/png", [1], id)] };
                if (MessageComposer.Check(draft).Count > 0) return;
                var file = (await ReadBackAsync(draft)).BodyParts.OfType<MimePart>().Last();
                Assert.Equal($"<{id}>", file.Headers[HeaderId.ContentId]);
                Assert.Equal(id, file.ContentId);
            });

    [Fact]
    public async Task The_hash_is_that_of_the_body_as_written()
    {
        var (composed, body) = await ComposeAsync(Simple with { Text = "Hello  \n\n", Html = "é", Attachments = [Pdf, Logo] });
        using var hash = new DkimBodyHash();
        hash.Append(body);
        Assert.Equal(hash.Complete(), composed.BodyHash);
    }

    [Fact]
    public async Task A_large_file_passes_in_pieces_and_is_closed()
    {
        var content = new CountingStream(10_000_000);
        var sink = new PieceSink();
        var composed = await new MessageComposer(Clock).ComposeAsync(
            Simple with { Attachments = [new MessageFile("large.bin", "application/octet-stream", () => content)] }, sink, TestContext.Current.CancellationToken);
        Assert.InRange(composed.BodySize, 13_333_333, 14_000_000);
        Assert.InRange(sink.Largest, 1, 128 * 1024);
        Assert.True(content.IsClosed);
    }

    private static string Describe(MimeEntity? entity) => entity is Multipart multipart
        ? $"{multipart.ContentType.MediaSubtype}({string.Join(',', multipart.Select(Describe))})"
        : entity!.ContentType.MimeType;

    private static byte[] Decode(MimeEntity? part)
    {
        using var content = new MemoryStream();
        ((MimePart)part!).Content?.DecodeTo(content); // MimeKit has none for an empty part.
        return content.ToArray();
    }

    private static string WithLineEnds(string text)
    {
        var plain = text.Replace("\r\n", "\n", StringComparison.Ordinal).Replace('\r', '\n');
        if (plain.Length > 0 && plain[^1] != '\n') plain += '\n';
        return plain.Replace("\n", "\r\n", StringComparison.Ordinal);
    }

    private sealed class CountingStream(long length) : MemoryStream
    {
        private long left = length;

        public bool IsClosed { get; private set; }

        public override int Read(byte[] buffer, int offset, int count)
        {
            var taken = (int)Math.Min(left, count);
            left -= taken;
            return taken;
        }

        public override int Read(Span<byte> buffer) => throw new NotSupportedException();

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            var taken = (int)Math.Min(left, buffer.Length);
            left -= taken;
            return ValueTask.FromResult(taken);
        }

        public override Task<int> ReadAsync(byte[] buffer, int offset, int count, CancellationToken cancellationToken) => Task.FromResult(Read(buffer, offset, count));

        protected override void Dispose(bool disposing)
        {
            IsClosed = true;
            base.Dispose(disposing);
        }
    }

    private sealed class PieceSink : MemoryStream
    {
        public int Largest { get; private set; }

        public override void Write(ReadOnlySpan<byte> buffer) => Largest = Math.Max(Largest, buffer.Length);

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            Largest = Math.Max(Largest, buffer.Length);
            return ValueTask.CompletedTask;
        }
    }
}
