using System.Buffers;

namespace MoxApi.Mail.Smtp;

/// <summary>
/// Writes the content of a message as SMTP carries it after DATA: a dot at the start of a line is doubled (RFC 5321 §4.5.2), and every CR and
/// LF leaves as part of CRLF. Content with CRLF line ends passes unchanged but for the dots; a lone CR or LF, also at the edge of a chunk, is
/// repaired to CRLF, since a server that takes it for a line end would find other commands in the message than we sent (SMTP smuggling).
/// </summary>
internal sealed class DotStuffer
{
    private static readonly SearchValues<byte> LineEnds = SearchValues.Create("\r\n"u8);

    // The command line before the content ended with CRLF.
    private bool _atLineStart = true;
    private bool _afterCr;

    /// <summary>Writes a chunk of any size.</summary>
    public void Write(ReadOnlySpan<byte> chunk, IBufferWriter<byte> output)
    {
        while (!chunk.IsEmpty)
        {
            if (_afterCr)
            {
                if (chunk[0] == '\n') chunk = chunk[1..];
                EndLine(output);
                continue;
            }
            if (chunk[0] == '\r')
            {
                _afterCr = true;
                chunk = chunk[1..];
                continue;
            }
            if (chunk[0] == '\n')
            {
                EndLine(output);
                chunk = chunk[1..];
                continue;
            }
            if (_atLineStart && chunk[0] == '.') output.Write("."u8);
            _atLineStart = false;
            var length = chunk.IndexOfAny(LineEnds);
            output.Write(length < 0 ? chunk : chunk[..length]);
            chunk = length < 0 ? [] : chunk[length..];
        }
    }

    /// <summary>Ends the last line, if the content did not. The lone dot is left to the caller.</summary>
    public void Finish(IBufferWriter<byte> output)
    {
        if (_afterCr || !_atLineStart) EndLine(output);
    }

    private void EndLine(IBufferWriter<byte> output)
    {
        output.Write("\r\n"u8);
        _afterCr = false;
        _atLineStart = true;
    }
}
