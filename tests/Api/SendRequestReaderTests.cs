using System.Buffers;
using System.IO.Pipelines;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Writing;
using Xunit;

namespace MoxApi.Tests.Api;

public class SendRequestReaderTests
{
    private const string Message = """
        {"note \" {": [{"content": "not/a/file"}, "attachments"], "attachments": [ {"filename":"a \\\" }","content": "AAECAwQF\r\nBgc="},
         {"cont\u0065nt" :"\u0041AEC\/\/\u002b\u002F\n", "filename":"b"}, {"filename":"c", "content":""}, {"x":{"content":"no"},"content":"/w=="}], "text": "☺"}
        """;

    [Fact]
    public void Files_are_decoded_and_their_numbers_stand_in_their_places()
    {
        var read = Read(Encoding.UTF8.GetBytes(Message), piece: int.MaxValue);
        Assert.Null(read.Refusal);
        Assert.Empty(read.Faults);
        Assert.Equal<byte[]>([[0, 1, 2, 3, 4, 5, 6, 7], [0, 1, 2, 0xFF, 0xFF, 0xBF], [], [0xFF]], read.Files);
        Assert.Equal("""
            {"note \" {": [{"content": "not/a/file"}, "attachments"], "attachments": [ {"filename":"a \\\" }","content": "0"},
             {"cont\u0065nt" :"1", "filename":"b"}, {"filename":"c", "content":"2"}, {"x":{"content":"no"},"content":"3"}], "text": "☺"}
            """, read.Rest);
    }

    [Fact]
    public void The_result_is_the_same_however_the_body_is_split()
    {
        var body = Encoding.UTF8.GetBytes(Message);
        var whole = Read(body, piece: int.MaxValue);
        for (var at = 0; at <= body.Length; at++) AssertSame(whole, Read(body[..at], body[at..]));
        AssertSame(whole, Read(body, piece: 1));
    }

    [Fact]
    public void Broken_requests_get_the_same_verdict_however_they_are_split()
    {
        var random = new Random(20261122);
        var valid = Encoding.UTF8.GetBytes(Message);
        byte[] strange = [.. "\"\\{}[]:,=+-_ \n"u8, 0, 0x80, 0xFF];
        for (var round = 0; round < 1500; round++)
        {
            var body = valid.ToArray();
            for (var change = random.Next(1, 4); change > 0; change--) body[random.Next(body.Length)] = strange[random.Next(strange.Length)];
            if (random.Next(3) == 0) body = body[..random.Next(body.Length)];
            var whole = Read(body, piece: int.MaxValue);
            AssertSame(whole, Read(body, piece: 1));
            AssertSame(whole, Read(body, piece: random.Next(2, 20)));
            // What is accepted is what a plain parser accepts, and finds the same.
            if (whole.Refusal is null) AssertSameAsPlainParser(body, whole);
        }
    }

    [Theory]
    [InlineData("AAA", "cut off")]
    [InlineData("AAAA=", "padding")]
    [InlineData("AA==AAAA", "after its padding")]
    [InlineData("A===", "padding")]
    [InlineData("AA-_", "RFC 4648 §4")]
    [InlineData("AA\\u00e9A", "U+00E9")]
    [InlineData("AAAA\\f", "U+000C")]
    public void What_is_no_base64_is_named_with_its_pointer(string content, string detail)
    {
        var read = Read(Encoding.UTF8.GetBytes($$"""{"attachments": [{"filename": "a", "content": "AAAA"}, {"content": "{{content}}", "filename": "b"}]}"""), piece: 7);
        var (pointer, fault) = Assert.Single(read.Faults);
        Assert.Equal("/attachments/1/content", pointer);
        Assert.Contains(detail, fault);
    }

    [Fact]
    public void A_number_in_place_of_a_content_names_no_other_file()
    {
        var (request, faults) = Bind("""{"to": ["a@b.example"], "text": "x", "attachments": [{"filename": "a", "content": "AAAA"}, {"filename": "b", "content": 0}]}""");
        Assert.Equal("", request.Request.Attachments![1].Content);
        Assert.Equal(["/attachments/1/content"], faults.ToRefusal().Errors!.Select(f => f.Pointer));
    }

    [Fact]
    public void Large_files_go_to_a_file_that_has_no_name_and_are_read_back_whole()
    {
        var folder = Directory.CreateTempSubdirectory("moxapi-test-").FullName;
        try
        {
            var octets = new byte[AttachmentSpool.MemoryLimit * 3];
            new Random(1).NextBytes(octets);
            using var spool = new AttachmentSpool(folder, new BytesInFlight().Open());
            using var scanner = new SendBodyScanner(spool, SendBodyShape.Message);
            scanner.Take(Encoding.UTF8.GetBytes($$"""{"attachments": [{"content": "AAAA"}, {"content": "{{Convert.ToBase64String(octets)}}"}]}"""));
            Assert.True(spool.OnDisk);
            if (!OperatingSystem.IsWindows()) Assert.Empty(Directory.GetFiles(folder));
            Assert.Equal([0, 0, 0], Contents(scanner.FilesOf(0).Files[0]));
            Assert.Equal(octets, Contents(scanner.FilesOf(0).Files[1]));
            Assert.Equal(SHA256.HashData(octets), scanner.FilesOf(0).Files[1].Sha256.ToArray());
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void A_disk_that_cannot_be_written_is_not_the_clients_fault()
    {
        using var spool = new AttachmentSpool("/nonexistent/folder", new BytesInFlight().Open());
        Assert.Throws<NoRoomException>(() => spool.Write(new byte[AttachmentSpool.MemoryLimit + 1]));
    }

    [Fact]
    public async Task A_body_of_70_MiB_takes_little_memory()
    {
        var before = GC.GetAllocatedBytesForCurrentThread();
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        var faults = new Faults();
        var send = await SendRequestReader.ReadAsync(new LargeBody(), spool, faults, CancellationToken.None);
        var allocated = GC.GetAllocatedBytesForCurrentThread() - before;
        Assert.False(faults.Any);
        Assert.Equal(LargeBody.Groups * 3L, send.Files.Single().Length);
        TestContext.Current.SendDiagnosticMessage($"70 MiB: {allocated} octets allocated");
        Assert.InRange(allocated, 0, 1024 * 1024);
    }

    private static void AssertSame(Result expected, Result actual)
    {
        Assert.Equal(expected.Refusal?.Errors?[0].Detail, actual.Refusal?.Errors?[0].Detail);
        Assert.Equal(expected.Refusal?.Code, actual.Refusal?.Code);
        if (expected.Refusal is not null) return;
        Assert.Equal(expected.Rest, actual.Rest);
        Assert.Equal(expected.Faults, actual.Faults);
        Assert.Equal(expected.Files, actual.Files);
    }

    private static void AssertSameAsPlainParser(byte[] body, Result read)
    {
        using var document = JsonDocument.Parse(body);
        if (!document.RootElement.TryGetProperty("attachments", out var attachments)) return;
        var plain = new List<byte[]>();
        foreach (var attachment in attachments.EnumerateArray().Where(a => a.ValueKind == JsonValueKind.Object))
        {
            foreach (var member in attachment.EnumerateObject().Where(m => m.NameEquals("content") && m.Value.ValueKind == JsonValueKind.String))
            {
                if (member.Value.TryGetBytesFromBase64(out var octets)) plain.Add(octets);
                else Assert.NotEmpty(read.Faults);
            }
        }
        if (read.Faults.Count == 0) Assert.Equal<byte[]>(plain, read.Files);
    }

    private static (SendRequest, Faults) Bind(string json)
    {
        var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        var faults = new Faults();
        var read = SendRequestReader.ReadAsync(PipeReader.Create(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json))), spool, faults, CancellationToken.None);
        return (read.GetAwaiter().GetResult(), faults);
    }

    private static Result Read(byte[] body, int piece) => Read([.. body.Chunk(Math.Min(piece, Math.Max(1, body.Length)))]);

    private static Result Read(params byte[][] pieces)
    {
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        using var scanner = new SendBodyScanner(spool, SendBodyShape.Message);
        try
        {
            foreach (var piece in pieces) scanner.Take(piece);
            using var document = JsonBody.Parse(scanner.Rest, scanner.Position);
        }
        catch (RefusalException refused)
        {
            return new Result(refused.Refusal, "", [], []);
        }
        return new Result(null, Encoding.UTF8.GetString(scanner.Rest.Span), [.. scanner.FilesOf(0).Base64Faults], [.. scanner.FilesOf(0).Files.Select(Contents)]);
    }

    private static byte[] Contents(SpooledFile file)
    {
        var copy = new MemoryStream();
        file.OpenRead().CopyTo(copy, 1000);
        return copy.ToArray();
    }

    private sealed record Result(Refusal? Refusal, string Rest, List<KeyValuePair<string, string>> Faults, List<byte[]> Files);

    /// <summary>A request of just 70 MiB, made while it is read, as Kestrel gives it: 4 KiB at a time.</summary>
    private sealed class LargeBody : PipeReader
    {
        private static readonly byte[] Head = """{"to": ["a@b.example"], "text": "x", "attachments": [{"filename": "a", "content": " """u8.ToArray();
        private static readonly byte[] Tail = "\"}]}"u8.ToArray();
        private static readonly byte[] Piece = "QUJD"u8.ToArray().SelectMany(b => Enumerable.Repeat(b, 1024)).ToArray();

        public static readonly long Groups = (SendBodyScanner.MaxLength - Head.Length - Tail.Length) / 4;

        private long _left = Groups * 4;
        private bool _begun;

        public override ValueTask<ReadResult> ReadAsync(CancellationToken cancellationToken = default)
        {
            var piece = Next();
            return new(new ReadResult(new ReadOnlySequence<byte>(piece), false, ReferenceEquals(piece, Tail)));
        }

        private byte[] Next()
        {
            if (!_begun)
            {
                _begun = true;
                return Head;
            }
            if (_left == 0) return Tail;
            var count = (int)Math.Min(_left, Piece.Length);
            _left -= count;
            return count == Piece.Length ? Piece : Piece[..count];
        }

        public override void AdvanceTo(SequencePosition consumed)
        {
        }

        public override void AdvanceTo(SequencePosition consumed, SequencePosition examined)
        {
        }

        public override void CancelPendingRead()
        {
        }

        public override void Complete(Exception? exception = null)
        {
        }

        public override bool TryRead(out ReadResult result) => throw new NotSupportedException();
    }
}
