using System.Runtime.CompilerServices;
using System.Text;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Mail.Smtp.Client.SmtpRecipientOutcome;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

/// <summary>The content after DATA, up to the final dot and its answer.</summary>
public class SmtpContentTests
{
    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData(".\r\n")]
    [InlineData("..\r\n.\r\n...\r\n")]
    [InlineData("a\r\n.\r\nMAIL FROM:<evil@example.org>\r\n")]
    [InlineData("no end of line")]
    [InlineData("\r\n\r\n.")]
    [InlineData("é \u0000 \u00ff\r\n")]
    public async Task Content_split_at_every_octet_arrives_as_it_was_and_ends_with_CRLF(string body)
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();
        var octets = Encoding.UTF8.GetBytes("A: b\r\n\r\n" + body);

        for (var i = 0; i <= octets.Length; i++) await connection.SendAsync(To(Jane), Split(octets, i), null, Stop);

        var expected = Encoding.Latin1.GetString(octets) + (octets.AsSpan().EndsWith("\r\n"u8) ? "" : "\r\n");
        Assert.Equal(octets.Length + 1, server.Messages.Count);
        Assert.All(server.Messages, m => Assert.Equal(expected, m.Text));
        Assert.Empty(server.Violations);
    }

    [Fact]
    public async Task A_lone_CR_or_LF_leaves_as_CRLF_at_any_edge()
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();
        var octets = "A: b\r\n\r\none\n.\ntwo\r.\rthree\r\r\nfour\n\r.\r"u8.ToArray();

        for (var i = 0; i <= octets.Length; i++) await connection.SendAsync(To(Jane), Split(octets, i), null, Stop);

        Assert.All(server.Messages, static m => Assert.Equal("A: b\r\n\r\none\r\n.\r\ntwo\r\n.\r\nthree\r\n\r\nfour\r\n\r\n.\r\n", m.Text));
        Assert.Equal(octets.Length + 1, server.Messages.Count);
        Assert.Empty(server.Violations);
    }

    [Fact]
    public async Task A_large_body_streams_through_TLS_unchanged()
    {
        await using var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned(Host) };
        await using var connection = (await server.TryOpenAsync(SmtpTlsMode.Opportunistic)).Connection!;
        var random = new Random(20261123);
        var lines = Enumerable.Range(0, 100_000).Select(i => new string('.', i % 3) + new string((char)('a' + (i % 26)), random.Next(70)) + "\r\n");
        var body = Encoding.ASCII.GetBytes(string.Concat(lines));

        var transaction = await connection.SendAsync(To(Jane), Streamed(body, body.Length, 262_144), null, Stop);

        Assert.Equal([Delivered], transaction.Outcomes());
        Assert.Equal("A: b\r\n\r\n"u8.Length + body.Length, server.Messages[0].Content.Length);
        Assert.True(server.Messages[0].Content.AsSpan(8).SequenceEqual(body));
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_final_dot_waits_for_the_callers_word(bool word)
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();
        var asked = 0;

        var transaction = await connection.SendAsync(To(Jane, Sam), Hello, () => ++asked == 1 && word, Stop);

        Assert.Equal(1, asked);
        Assert.Equal(word, transaction.FinalDotSent);
        Assert.Equal(!word, transaction.LeaseLost);
        Assert.Equal(word, connection.CanSend);
        Assert.DoesNotContain(transaction.Recipients, transaction.IsAmbiguous);
        Assert.Equal(word ? [Delivered, Delivered] : [TransientFailure, TransientFailure], transaction.Outcomes());
        Assert.Equal(word ? 1 : 0, server.Messages.Count);
        Assert.Equal(word ? 250 : 0, transaction.Steps[^1].Code);
    }

    [Fact]
    public async Task A_caller_who_stops_before_the_final_dot_gets_a_cancellation_and_the_server_no_message()
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();
        using var stop = new CancellationTokenSource();
        var content = new SmtpContent("A: b\r\n\r\n"u8.ToArray(), 4, Chunks);

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => connection.SendAsync(To(Jane), content, null, stop.Token));

        Assert.False(connection.CanSend);
        Assert.Empty(server.Messages);

        async IAsyncEnumerable<ReadOnlyMemory<byte>> Chunks([EnumeratorCancellation] CancellationToken ct)
        {
            yield return "ab"u8.ToArray();
            await stop.CancelAsync();
            yield return "\r\n"u8.ToArray();
        }
    }

    [Fact]
    public async Task A_caller_who_stops_after_the_final_dot_still_gets_the_answer()
    {
        using var stop = new CancellationTokenSource();
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();

        // The server holds its answer back until the caller has stopped.
        server.On("body", ((Act)"250 2.0.0 Ok").After(Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop.Token).ContinueWith(static _ => { }, TaskScheduler.Default)));
        var sending = connection.SendAsync(To(Jane), Hello, () => true, stop.Token);
        while (server.Messages.Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(1), TimeProvider.System, Stop);
        await stop.CancelAsync();
        var transaction = await sending;

        Assert.Equal([Delivered], transaction.Outcomes());
        Assert.True(connection.CanSend);
    }

    [Theory, InlineData(5), InlineData(3)]
    public async Task A_body_of_another_size_than_declared_is_not_finished(int octets)
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();

        await Assert.ThrowsAsync<InvalidDataException>(() => connection.SendAsync(To(Jane), Streamed(new byte[octets], 4, 2), null, Stop));

        Assert.False(connection.CanSend);
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task A_body_whose_storage_fails_is_not_finished()
    {
        await using var server = new ScriptedSmtpServer();
        await using var connection = await server.OpenAsync();
        var content = new SmtpContent("A: b\r\n\r\n"u8.ToArray(), 4, static _ => throw new InvalidOperationException("The disk is gone."));

        var e = await Assert.ThrowsAsync<InvalidOperationException>(() => connection.SendAsync(To(Jane), content, null, Stop));

        Assert.Equal("The disk is gone.", e.Message);
        Assert.False(connection.CanSend);
        Assert.Empty(server.Messages);
    }

    private static SmtpContent Split(byte[] octets, int at) => new(octets.AsMemory(0, at), octets.Length - at, _ => Pieces(octets.AsMemory(at), 1));

    private static SmtpContent Streamed(byte[] body, long declared, int size) => new("A: b\r\n\r\n"u8.ToArray(), declared, _ => Pieces(body, size));

    private static async IAsyncEnumerable<ReadOnlyMemory<byte>> Pieces(ReadOnlyMemory<byte> octets, int size)
    {
        for (var at = 0; at < octets.Length; at += size)
        {
            await Task.Yield();
            yield return octets[at..Math.Min(at + size, octets.Length)];
        }
    }
}
