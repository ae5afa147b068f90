using System.Buffers;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Reading;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Writing;
using Xunit;

namespace MoxApi.Tests.Api;

public class SendBatchReaderTests
{
    private const string Batch = """
        {"messages": [ {"text": "a", "attachments": [{"filename": "1", "content": "AAEC"}, {"filename": "2", "content": "AwQF"}]}, {"messages": [{"attachments": [{"content": "no/file"}]}]}, [],
         {"attachm\u0065nts": [{"content": "/w==", "filename": "3"}], "x": {"attachments": [{"content": "no/file"}]}}, {"attachments": {"a": {"content": "no/file"}}} ],
         "attachments": [{"content": "no/file"}]}
        """;

    [Fact]
    public void Each_messages_files_are_its_own_and_numbered_from_0()
    {
        var (rest, files) = Scan(Encoding.UTF8.GetBytes(Batch));
        Assert.Equal<byte[]>([[0, 1, 2], [3, 4, 5]], files[0]);
        Assert.Empty(files[1]);
        Assert.Empty(files[2]);
        Assert.Equal<byte[]>([[0xFF]], files[3]);
        Assert.Empty(files[4]);
        Assert.Equal(Batch.Replace("AAEC", "0").Replace("AwQF", "1").Replace("/w==", "0"), rest);
    }

    [Fact]
    public void The_result_is_the_same_however_the_body_is_split()
    {
        var body = Encoding.UTF8.GetBytes(Batch);
        var whole = Scan(body);
        for (var at = 0; at <= body.Length; at++) AssertSame(whole, Scan(body[..at], body[at..]));
        AssertSame(whole, Scan([.. body.Chunk(1)]));
    }

    [Fact]
    public void A_message_of_a_batch_is_read_as_it_is_alone()
    {
        var random = new Random(20261123);
        var valid = """{"attachments": [{"content": "AAEC"}, {"x": [{"content": "1"}], "content": "AwQF"}], "a": {"attachments": [{"content": "b"}]}, "attachments": [{"content": "/w=="}]}"""u8.ToArray();
        byte[] strange = [.. "\"\\{}[]:,ac"u8];
        for (var round = 0; round < 1500; round++)
        {
            var message = valid.ToArray();
            for (var change = random.Next(0, 3); change > 0; change--) message[random.Next(message.Length)] = strange[random.Next(strange.Length)];
            if (!IsJson(message)) continue;
            var alone = Scan(SendBodyShape.Message, message);
            var second = Scan([.. "{\"messages\":[0,"u8, .. message, .. "]}"u8]);
            Assert.Equal(alone.Files[0], second.Files[1]);
            Assert.Equal($"{{\"messages\":[0,{alone.Json}]}}", second.Json);
        }
    }

    [Fact]
    public async Task What_is_no_base64_is_a_fault_of_its_message()
    {
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        using var batch = await ReadAsync("""{"messages": [{"attachments": [{"filename": "a", "content": "AAAA"}]}, {"attachments": [{"filename": "a", "content": "AAAA"}, {"filename": "b", "content": "A-_A"}]}]}""", spool);
        var (first, second) = (new Faults(), new Faults());
        Assert.Single(batch.Bind(0, first).Files);
        Assert.Equal(2, batch.Bind(1, second).Files.Count);
        Assert.False(first.Any);
        Assert.Equal(["/attachments/1/content"], second.ToRefusal().Errors!.Select(f => f.Pointer));
    }

    [Fact]
    public async Task A_message_with_too_many_files_takes_none_from_the_next()
    {
        var many = string.Join(',', Enumerable.Repeat("""{"filename": "a", "content": "AAAA"}""", ScannedFiles.Max + 1));
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        using var batch = await ReadAsync($$"""{"messages": [{"attachments": [{{many}}]}, {"attachments": [{"filename": "b", "content": "/w=="}]}]}""", spool);
        var next = batch.Bind(1, new Faults());
        Assert.Equal(("0", 1L), (next.Request.Attachments![0].Content, next.Files.Single().Length));
    }

    [Fact]
    public async Task One_message_of_a_batch_may_be_as_large_as_it_may_be_alone_and_the_others_all_the_same()
    {
        var text = new string('x', 3 * 1024 * 1024);
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        using var batch = await ReadAsync($$"""{"messages": [{"text": "{{text}}{{text}}"}, {"text": "{{text}}"}]}""", spool);
        Assert.Equal(413, Assert.Throws<RefusalException>(() => batch.Bind(0, new Faults())).Refusal.Status);
        Assert.Equal(text.Length, batch.Bind(1, new Faults()).Request.Text!.Length);
    }

    [Fact]
    public async Task More_values_than_a_batch_can_have_are_refused_before_they_are_parsed()
    {
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        var many = string.Concat(Enumerable.Repeat("0,", SendBodyShape.Batch.MaxTokens));
        Assert.Equal(413, (await Assert.ThrowsAsync<RefusalException>(() => ReadAsync($$"""{"messages": [{{many}}0]}""", spool))).Refusal.Status);
    }

    [Theory]
    [InlineData("0")]
    [InlineData("[[[[]],[]],{}]")]
    [InlineData("""{"a": {"b": [0, 0, "[,:"], ",": null}, "\"": {}}""")]
    [InlineData(Batch)]
    public void What_the_parser_keeps_of_each_value_counts_as_in_flight(string json)
    {
        var inFlight = new BytesInFlight();
        using var spool = new AttachmentSpool(Path.GetTempPath(), inFlight.Open());
        using var scanner = new SendBodyScanner(spool, SendBodyShape.Batch);
        scanner.Take(Encoding.UTF8.GetBytes(json));

        var tokens = 0;
        for (var reader = new Utf8JsonReader(scanner.Rest.Span); reader.Read(); tokens++) { }
        Assert.InRange(inFlight.Taken - scanner.Rest.Length, 12 * tokens, 72 * tokens);
    }

    private static Task<SendBatch> ReadAsync(string json, AttachmentSpool spool) =>
        SendBatchReader.ReadAsync(PipeReader.Create(new ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(json))), spool, new Faults(), CancellationToken.None);

    private static bool IsJson(byte[] message)
    {
        try
        {
            JsonBody.Parse(message).Dispose();
            return true;
        }
        catch (RefusalException)
        {
            return false;
        }
    }

    private static void AssertSame((string Json, List<byte[]>[] Files) expected, (string Json, List<byte[]>[] Files) actual)
    {
        Assert.Equal(expected.Json, actual.Json);
        Assert.Equal<List<byte[]>>(expected.Files, actual.Files);
    }

    private static (string Json, List<byte[]>[] Files) Scan(params byte[][] pieces) => Scan(SendBodyShape.Batch, pieces);

    private static (string Json, List<byte[]>[] Files) Scan(SendBodyShape shape, params byte[][] pieces)
    {
        using var spool = new AttachmentSpool(Path.GetTempPath(), new BytesInFlight().Open());
        using var scanner = new SendBodyScanner(spool, shape);
        foreach (var piece in pieces) scanner.Take(piece);
        return (Encoding.UTF8.GetString(scanner.Rest.Span), [.. Enumerable.Range(0, 5).Select(n => scanner.FilesOf(n).Files.Select(Contents).ToList())]);
    }

    private static byte[] Contents(SpooledFile file)
    {
        var copy = new MemoryStream();
        file.OpenRead().CopyTo(copy);
        return copy.ToArray();
    }
}
