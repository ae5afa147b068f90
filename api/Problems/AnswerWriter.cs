using System.Buffers;
using System.IO.Pipelines;
using Microsoft.AspNetCore.Connections;

namespace MoxApi.Api.Problems;

/// <summary>What a connection's answers are written to. One answer may be put in the place of all that follows.</summary>
internal sealed class AnswerWriter(PipeWriter client) : PipeWriter
{
    private readonly PipeWriter client = client;
    private PipeWriter current = client;

    /// <summary>Puts it between Kestrel and the connection.</summary>
    public static ConnectionDelegate Between(ConnectionDelegate next) => connection =>
    {
        var output = new AnswerWriter(connection.Transport.Output);
        connection.Features.Set(output);
        connection.Transport = new Pipes(connection.Transport.Input, output);
        return next(connection);
    };

    /// <summary>Writes the connection's last answer, which goes out with the next flush; what else is written goes nowhere.</summary>
    public void Replace(ReadOnlySpan<byte> answer)
    {
        client.Write(answer);
        current = Create(Stream.Null);
    }

    /// <inheritdoc/>
    public override bool CanGetUnflushedBytes => current.CanGetUnflushedBytes;

    /// <inheritdoc/>
    public override long UnflushedBytes => current.UnflushedBytes;

    /// <inheritdoc/>
    public override Memory<byte> GetMemory(int sizeHint = 0) => current.GetMemory(sizeHint);

    /// <inheritdoc/>
    public override Span<byte> GetSpan(int sizeHint = 0) => current.GetSpan(sizeHint);

    /// <inheritdoc/>
    public override void Advance(int bytes) => current.Advance(bytes);

    /// <inheritdoc/>
    public override ValueTask<FlushResult> FlushAsync(CancellationToken cancellationToken = default) => client.FlushAsync(cancellationToken);

    /// <inheritdoc/>
    public override void CancelPendingFlush() => client.CancelPendingFlush();

    /// <inheritdoc/>
    public override void Complete(Exception? exception = null) => client.Complete(exception);

    private sealed record Pipes(PipeReader Input, PipeWriter Output) : IDuplexPipe;
}
