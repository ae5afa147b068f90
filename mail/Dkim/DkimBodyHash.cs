using System.Buffers;
using System.Security.Cryptography;

namespace MoxApi.Mail.Dkim;

/// <summary>
/// The SHA-256 of a body in relaxed canonicalization (RFC 6376 §3.4.4), computed while the body streams past in pieces of any size.
/// A body has one hash however many headers are signed over it. Not safe for concurrent use.
/// </summary>
public sealed class DkimBodyHash : IDisposable
{
    private static readonly SearchValues<byte> Special = SearchValues.Create(" \t\r\n"u8);

    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
    private readonly byte[] canonical = new byte[4096];
    private int used;

    // What is not written until it is known what follows: white space, then perhaps a CR, after line ends that may turn out to be the last.
    private long lineEnds;
    private bool space;
    private bool carriageReturn;
    private bool any;

    /// <summary>Takes the next piece of the body, with CRLF line ends and before dot-stuffing.</summary>
    public void Append(ReadOnlySpan<byte> piece)
    {
        while (!piece.IsEmpty)
        {
            if (carriageReturn && AfterCarriageReturn(piece[0]))
            {
                piece = piece[1..];
                continue;
            }
            var run = piece.IndexOfAny(Special);
            if (run < 0) run = piece.Length;
            if (run > 0)
            {
                Text(piece[..run]);
                piece = piece[run..];
                continue;
            }
            if (piece[0] == '\r') carriageReturn = true;
            else if (piece[0] == '\n') Text("\n"u8); // A bare LF is no line end, only an octet.
            else space = true;
            piece = piece[1..];
        }
    }

    /// <summary>The hash of all that was appended: 32 octets. The object can be used for another body afterwards.</summary>
    public byte[] Complete()
    {
        if (carriageReturn) BareCarriageReturn();
        // A last line without its CRLF gets one, white space at its end is dropped, and so are empty lines; an empty body stays empty.
        if (any) Write("\r\n"u8);
        Flush();
        (lineEnds, space, any) = (0, false, false);
        return hash.GetHashAndReset();
    }

    /// <inheritdoc/>
    public void Dispose() => hash.Dispose();

    /// <summary>Whether the octet made a line end of the CR before it.</summary>
    private bool AfterCarriageReturn(byte next)
    {
        if (next != '\n')
        {
            BareCarriageReturn();
            return false;
        }
        carriageReturn = false;
        space = false; // White space at the end of a line is ignored.
        lineEnds++;
        return true;
    }

    private void BareCarriageReturn()
    {
        carriageReturn = false;
        Text("\r"u8);
    }

    private void Text(ReadOnlySpan<byte> text)
    {
        for (; lineEnds > 0; lineEnds--) Write("\r\n"u8);
        if (space) Write(" "u8); // Runs of white space count as one.
        space = false;
        any = true;
        Write(text);
    }

    // Gathers small pieces, so that the hash is called some twenty times less.
    private void Write(ReadOnlySpan<byte> text)
    {
        if (text.Length > canonical.Length - used) Flush();
        if (text.Length > canonical.Length)
        {
            hash.AppendData(text);
            return;
        }
        text.CopyTo(canonical.AsSpan(used));
        used += text.Length;
    }

    private void Flush()
    {
        hash.AppendData(canonical, 0, used);
        used = 0;
    }
}
