using System.Buffers;
using System.IO.Pipelines;

namespace MoxApi.Inbound.Connections;

/// <summary>How reading a line ended.</summary>
internal enum LineStatus
{
    /// <summary>A whole line was read.</summary>
    Line,

    /// <summary>A line was longer than the cap; it was read to its end and thrown away.</summary>
    TooLong,

    /// <summary>The peer has closed its side, or went on without end; nothing more can be read.</summary>
    Closed,
}

/// <summary>What was read.</summary>
/// <param name="Status">How it ended.</param>
/// <param name="Octets">The line without its CRLF, a copy: the pipe's memory does not outlive the read. Empty unless the status is Line.</param>
internal readonly record struct LineResult(LineStatus Status, byte[] Octets);

/// <summary>
/// Reads command lines. Only CRLF ends a line (RFC 5321 §2.3.8); a bare LF is part of it. An unfinished line is never left in the pipe past
/// the cap: Kestrel lifts back-pressure for what has been examined, and would buffer without limit.
/// </summary>
internal sealed class LineReader(PipeReader input, int maxOctets)
{
    // A peer that sends this much without a line's end speaks another protocol, or means harm.
    private const int MaxDiscardedOctets = 1 << 20;

    /// <summary>Whether a whole line is in memory already, so that the next read will not wait.</summary>
    public bool HasCompleteLine
    {
        get
        {
            if (!input.TryRead(out var result)) return false;
            var complete = EndOfLine(result.Buffer) is not null;
            input.AdvanceTo(result.Buffer.Start);
            return complete;
        }
    }

    /// <summary>Reads the next line.</summary>
    /// <exception cref="OperationCanceledException">The token was cancelled; nothing was lost, and another read may follow.</exception>
    public async ValueTask<LineResult> ReadAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (EndOfLine(buffer) is { } end)
            {
                var line = buffer.Slice(0, end);
                var octets = line.Length <= maxOctets ? line.ToArray() : null;
                input.AdvanceTo(buffer.GetPosition(2, end));
                return octets is null ? new(LineStatus.TooLong, []) : new(LineStatus.Line, octets);
            }
            if (result.IsCompleted)
            {
                input.AdvanceTo(buffer.End);
                return new(LineStatus.Closed, []);
            }
            if (buffer.Length > maxOctets + 1)
            {
                input.AdvanceTo(buffer.Start);
                return await DiscardLineAsync(cancellationToken);
            }
            input.AdvanceTo(buffer.Start, buffer.End);
        }
    }

    private async ValueTask<LineResult> DiscardLineAsync(CancellationToken cancellationToken)
    {
        for (long discarded = 0; discarded <= MaxDiscardedOctets;)
        {
            var result = await input.ReadAsync(cancellationToken);
            var buffer = result.Buffer;
            if (EndOfLine(buffer) is { } end)
            {
                input.AdvanceTo(buffer.GetPosition(2, end));
                return new(LineStatus.TooLong, []);
            }
            if (result.IsCompleted)
            {
                input.AdvanceTo(buffer.End);
                break;
            }
            // The last octet may be the CR of a CRLF that has not come yet.
            var keep = buffer.Slice(buffer.Length - 1);
            discarded += buffer.Length - 1;
            input.AdvanceTo(keep.Start, buffer.End);
        }
        return new(LineStatus.Closed, []);
    }

    private static SequencePosition? EndOfLine(ReadOnlySequence<byte> buffer)
    {
        var reader = new SequenceReader<byte>(buffer);
        return reader.TryReadTo(out ReadOnlySequence<byte> line, "\r\n"u8, advancePastDelimiter: false) ? line.End : null;
    }
}
