using System.Buffers;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>What was wrong with the line ends of a message (RFC 5321 §2.3.8).</summary>
public enum DataFault
{
    /// <summary>Nothing, or only bare LFs that were repaired.</summary>
    None,

    /// <summary>A CR without an LF after it.</summary>
    BareCr,

    /// <summary>An LF without a CR, beside a dot that stands alone: what some servers would take for the end of the message.</summary>
    LfBesideLoneDot,

    /// <summary>An LF without a CR, in pedantic mode.</summary>
    BareLf,
}

/// <summary>
/// Takes a message out of its transfer form after DATA: removes stuffed dots and finds the end, which is CRLF.CRLF and nothing else
/// (RFC 5321 §4.1.1.4, §4.5.2). Other servers end a message at LF.LF or CR.CR; a sender who knows where two servers differ can hide a
/// message inside another (SMTP smuggling). So a message with such forms is refused, and is still read to its real end, so that client and
/// server agree where the next command begins. A bare LF elsewhere becomes CRLF. Works on any split of the input.
/// </summary>
public sealed class DataDecoder(bool pedantic = false)
{
    // The DATA command's own CRLF counts as the first line's beginning (RFC 5321 §4.1.1.4).
    private State state = State.LineStart;
    private bool discards;

    private enum State
    {
        /// <summary>Just after CRLF.</summary>
        LineStart,

        /// <summary>Just after an LF without CR.</summary>
        LfLineStart,

        /// <summary>Inside a line.</summary>
        Text,

        /// <summary>After a CR inside a line.</summary>
        Cr,

        /// <summary>After CRLF and a dot.</summary>
        Dot,

        /// <summary>After CRLF, a dot and a CR.</summary>
        DotCr,

        /// <summary>After a bare LF and a dot.</summary>
        LfDot,

        /// <summary>After CRLF.CRLF.</summary>
        End,
    }

    /// <summary>Whether the end of the message has been read.</summary>
    public bool IsComplete => state == State.End;

    /// <summary>The first fault; nothing is written any more after one.</summary>
    public DataFault Fault { get; private set; }

    /// <summary>Writes nothing any more: the message has been refused for another reason, and only its end is of interest.</summary>
    public void Discard() => discards = true;

    /// <summary>Reads on. Writes at most twice as many octets as it reads, and one more.</summary>
    /// <returns>How many octets belong to the message; fewer than given only when <see cref="IsComplete"/>.</returns>
    public int Decode(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        var at = 0;
        while (at < input.Length && state != State.End)
        {
            if (state == State.Text) at += CopyText(input[at..], output);
            if (at < input.Length) Step(input[at++], output);
        }
        return at;
    }

    private int CopyText(ReadOnlySpan<byte> input, IBufferWriter<byte> output)
    {
        var length = input.IndexOfAny((byte)'\r', (byte)'\n');
        if (length < 0) length = input.Length;
        Write(output, input[..length]);
        return length;
    }

    private void Step(byte octet, IBufferWriter<byte> output)
    {
        state = (state, octet) switch
        {
            (State.Cr, (byte)'\n') => LineEnd(output),
            (State.DotCr, (byte)'\n') => State.End,
            (State.Cr or State.DotCr, _) => AfterBareCr(octet),
            (State.LineStart, (byte)'.') => State.Dot,
            // "CRLF.CR": the end, if an LF follows.
            (State.Dot, (byte)'\r') => State.DotCr,
            // "CRLF.LF": a lone dot beside an LF.
            (State.Dot, (byte)'\n') => Refuse(DataFault.LfBesideLoneDot, State.LfLineStart),
            // "LF.CR" and "LF.LF": likewise. The CR may belong to a CRLF, after which the real end may come.
            (State.LfDot, (byte)'\r') => Refuse(DataFault.LfBesideLoneDot, State.Cr),
            (State.LfDot, (byte)'\n') => Refuse(DataFault.LfBesideLoneDot, State.LfLineStart),
            (_, (byte)'\r') => State.Cr,
            (_, (byte)'\n') => BareLf(output),
            (State.LfLineStart, (byte)'.') => Text(octet, output, State.LfDot),
            // After CRLF and a dot, anything else: the dot was stuffed, or should have been. RFC 5321 §4.5.2: it is removed either way.
            _ => Text(octet, output, State.Text),
        };
    }

    private State Text(byte octet, IBufferWriter<byte> output, State next)
    {
        Write(output, [octet]);
        return next;
    }

    private State LineEnd(IBufferWriter<byte> output)
    {
        Write(output, "\r\n"u8);
        return State.LineStart;
    }

    private State BareLf(IBufferWriter<byte> output)
    {
        if (pedantic) return Refuse(DataFault.BareLf, State.LfLineStart);
        Write(output, "\r\n"u8);
        return State.LfLineStart;
    }

    private State AfterBareCr(byte octet) => Refuse(DataFault.BareCr, octet switch
    {
        (byte)'\r' => State.Cr,
        _ => State.Text,
    });

    private State Refuse(DataFault fault, State next)
    {
        if (Fault == DataFault.None) Fault = fault;
        return next;
    }

    private void Write(IBufferWriter<byte> output, ReadOnlySpan<byte> octets)
    {
        if (Fault == DataFault.None && !discards) output.Write(octets);
    }
}
