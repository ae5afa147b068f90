namespace MoxApi.Api.Messages.Reading;

/// <summary>The inside of a JSON string that holds a file in base64, read in pieces of any size.</summary>
internal sealed class FileString(Base64Decoder decoder) : IDisposable
{
    private int _escape; // 0: none; 1: after the backslash; 2 to 5: the digits after \u.
    private int _unit;

    /// <summary>The octets taken, without the quotes.</summary>
    public long Length { get; private set; }

    /// <summary>Whether the closing quote was read.</summary>
    public bool Ended { get; private set; }

    /// <summary>Why the string is no JSON string, as a sentence.</summary>
    public string? Broken { get; private set; }

    /// <summary>Why the string is no base64, as a sentence.</summary>
    public string? Fault => decoder.Fault;

    public void Begin()
    {
        (Length, Ended, Broken, _escape) = (0, false, null, 0);
        decoder.Begin();
    }

    /// <summary>Takes the octets up to and with the closing quote, or all; tells how many.</summary>
    public int Take(ReadOnlySpan<byte> piece)
    {
        var i = 0;
        while (i < piece.Length && !Ended && Broken is null)
        {
            var run = _escape == 0 ? decoder.TakeRun(piece[i..]) : 0;
            i += run;
            Length += run;
            if (i == piece.Length) break;
            TakeOther(piece[i++]);
            if (!Ended && Broken is null) Length++;
        }
        return i;
    }

    public SpooledFile Finish() => decoder.Finish();

    public void Dispose() => decoder.Dispose();

    private void TakeOther(byte b)
    {
        if (_escape == 1) TakeEscape((char)b);
        else if (_escape > 1) TakeDigit((char)b);
        else if (b == '"') Ended = true;
        else if (b == '\\') _escape = 1;
        else if (b < ' ') Broken = "A string has control characters only as escapes."; // RFC 8259 §7.
        else decoder.Take((char)b);
    }

    // RFC 8259 §7: the escapes that there are.
    private void TakeEscape(char c)
    {
        _escape = 0;
        switch (c)
        {
            case 'u':
                (_escape, _unit) = (2, 0);
                break;
            case '"' or '\\' or '/':
                decoder.Take(c);
                break;
            case 'n' or 'r' or 't':
                decoder.Take(' ');
                break;
            case 'b' or 'f':
                decoder.Take('\f');
                break;
            default:
                Broken = "There is no such escape.";
                break;
        }
    }

    private void TakeDigit(char c)
    {
        if (!char.IsAsciiHexDigit(c))
        {
            Broken = "An escape \\u has four hexadecimal digits.";
            return;
        }
        _unit = _unit * 16 + (c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10);
        if (++_escape < 6) return;
        _escape = 0;
        decoder.Take((char)_unit);
    }
}
