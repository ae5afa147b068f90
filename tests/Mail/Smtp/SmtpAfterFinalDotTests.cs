using System.Net.Sockets;
using System.Security.Authentication;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

/// <summary>
/// A connection that breaks in ways of its own, such as a TLS stream that is of no more use: once the final dot may have left, the conversation is
/// what tells people why there is a doubt.
/// </summary>
public class SmtpAfterFinalDotTests
{
    private static readonly Dictionary<string, Exception> Faults = new Exception[]
    {
        new InvalidOperationException("This stream is of no more use."), new ObjectDisposedException("stream"), new AuthenticationException("The other side ended TLS."),
        new NotSupportedException("No more."), new SocketException((int)SocketError.ConnectionReset), new IOException("Broken pipe."),
    }.ToDictionary(f => f.GetType().Name);

    public static TheoryData<string> Kinds => [.. Faults.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public async Task Whatever_breaks_the_wait_for_the_answer_the_conversation_is_kept_and_the_doubt_is_told(string kind)
    {
        await using var server = Server();
        await using var connection = await OpenAsync(server, new() { OnReadAfterDot = Faults[kind] });

        AssertInDoubt(await connection.SendAsync(To(Jane)), Faults[kind]);
        Assert.False(connection.CanSend);
    }

    [Theory, MemberData(nameof(Kinds))]
    public async Task Whatever_breaks_as_the_final_dot_leaves_it_may_have_left(string kind)
    {
        await using var server = Server();
        await using var connection = await OpenAsync(server, new() { OnWriteOfDot = Faults[kind] });

        AssertInDoubt(await connection.SendAsync(To(Jane)), Faults[kind]);
    }

    [Fact]
    public async Task A_connection_that_cannot_even_be_closed_leaves_the_conversation_as_it_was()
    {
        await using var server = Server();
        var connection = await OpenAsync(server, new() { OnReadAfterDot = Faults["IOException"], OnDispose = Faults["InvalidOperationException"] });

        AssertInDoubt(await connection.SendAsync(To(Jane)), Faults["IOException"]);
    }

    private static void AssertInDoubt(SmtpTransaction transaction, Exception fault)
    {
        Assert.True(transaction.FinalDotSent && transaction.Recipients.Any(transaction.IsAmbiguous));
        Assert.Equal(["mail", "rcpt", "data", "body"], transaction.StepNames());
        Assert.Contains(fault.Message, transaction.Steps[^1].Reply);
        var verdict = Assert.Single(transaction.Recipients).Verdict!;
        Assert.Equal(("body", SmtpFault.Disconnected, true), (verdict.Step, verdict.Fault, verdict.IsTransient));
    }

    // The connection begins where EHLO was answered, so nobody greets.
    private static ScriptedSmtpServer Server() => new ScriptedSmtpServer().Always("connect", Act.Raw(""));

    private static async Task<SmtpConnection> OpenAsync(ScriptedSmtpServer server, FaultyStream stream)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        await socket.ConnectAsync(server.EndPoint, Stop);
        stream.Inner = new NetworkStream(socket, ownsSocket: true);
        return new(new SmtpWire(stream, TimeProvider.System), Target(SmtpTlsMode.None), new SmtpCapabilities(), null, new SmtpTimeouts(), TimeProvider.System);
    }

    /// <summary>A stream that breaks at or after the final dot.</summary>
    private sealed class FaultyStream : Stream
    {
        private bool dotted;

        public Stream Inner { get; set; } = Null;
        public Exception? OnWriteOfDot { get; init; }
        public Exception? OnReadAfterDot { get; init; }
        public Exception? OnDispose { get; init; }

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => true;
        public override long Length => throw new NotSupportedException();
        public override long Position { get => throw new NotSupportedException(); set => throw new NotSupportedException(); }

        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default)
        {
            dotted = buffer.Span.EndsWith("\r\n.\r\n"u8);
            return dotted && OnWriteOfDot is not null ? throw OnWriteOfDot : Inner.WriteAsync(buffer, cancellationToken);
        }

        public override ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default) =>
            dotted && (OnReadAfterDot ?? OnWriteOfDot) is { } fault ? throw fault : Inner.ReadAsync(buffer, cancellationToken);

        public override Task FlushAsync(CancellationToken cancellationToken) => Inner.FlushAsync(cancellationToken);

        public override async ValueTask DisposeAsync()
        {
            await Inner.DisposeAsync();
            await base.DisposeAsync();
            if (OnDispose is not null) throw OnDispose;
        }

        public override void Flush() => throw new NotSupportedException();

        public override int Read(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
