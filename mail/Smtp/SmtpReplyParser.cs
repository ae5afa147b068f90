using System.Text;

namespace MoxApi.Mail.Smtp;

/// <summary>What a <see cref="SmtpReplyParser"/> found.</summary>
internal enum SmtpReplyParse
{
    /// <summary>The reply goes on after the input.</summary>
    Incomplete,

    /// <summary>A whole reply.</summary>
    Complete,

    /// <summary>What the server sent is no reply.</summary>
    Fault,
}

/// <summary>
/// Reads replies (RFC 5321 §4.2) from the bytes of a server, which may be hostile: lines, their count and their sum are capped. It keeps the
/// lines of a reply that goes on, but never part of a line: unconsumed input is to be shown again, with more behind it.
/// </summary>
internal sealed class SmtpReplyParser
{
    /// <summary>The longest line with its end, in octets. RFC 5321 §4.5.3.1.5 says 512; servers with long explanations exist.</summary>
    public const int MaxLine = 2048;

    private const int MaxLines = 128;
    private const int MaxReply = 64 * 1024;

    private readonly StringBuilder _text = new();
    private EnhancedStatusCode? _enhanced;
    private int _code;
    private int _lines;
    private int _octets;

    /// <summary>Reads on.</summary>
    /// <param name="input">What arrived and was not consumed yet.</param>
    /// <param name="consumed">How much of it is done with.</param>
    /// <param name="reply">The reply, when it is complete.</param>
    /// <param name="fault">What is wrong, when something is.</param>
    public SmtpReplyParse Read(ReadOnlySpan<byte> input, out int consumed, out SmtpReply? reply, out string? fault)
    {
        consumed = 0;
        reply = null;
        while (true)
        {
            var rest = input[consumed..];
            var end = rest.IndexOf((byte)'\n');
            if ((end < 0 ? rest.Length : end) >= MaxLine) return Fail($"A line of the reply is longer than {MaxLine} octets.", out fault);
            if (end < 0)
            {
                fault = null;
                return SmtpReplyParse.Incomplete;
            }
            consumed += end + 1;
            _octets += end + 1;
            // RFC 5321 §2.3.8 wants CRLF; a reply is only read, so a server that ends its lines with LF does no harm.
            var line = rest[..end];
            if (line.EndsWith("\r"u8)) line = line[..^1];
            if (!TryTake(line, out var isLast, out fault)) return SmtpReplyParse.Fault;
            if (!isLast) continue;
            reply = new SmtpReply(_code, _enhanced, _text.ToString());
            Reset();
            return SmtpReplyParse.Complete;
        }
    }

    private bool TryTake(ReadOnlySpan<byte> line, out bool isLast, out string? fault)
    {
        isLast = false;
        // RFC 5321 §4.2: three digits, then a hyphen where more lines follow, else a space; the text, and then the space, may be missing.
        if (line.Length < 3 || line[0] is < (byte)'2' or > (byte)'5' || !char.IsAsciiDigit((char)line[1]) || !char.IsAsciiDigit((char)line[2])
            || (line.Length > 3 && line[3] is not ((byte)' ' or (byte)'-')))
        {
            Fail("The server sent something that is no reply.", out fault);
            return false;
        }
        var code = ((line[0] - '0') * 100) + ((line[1] - '0') * 10) + line[2] - '0';
        if (_lines > 0 && code != _code)
        {
            Fail("The lines of a reply have different codes.", out fault); // RFC 5321 §4.2.1: the code is the same on each line.
            return false;
        }
        _code = code;
        if (++_lines > MaxLines || _octets > MaxReply)
        {
            Fail($"The reply is longer than {MaxLines} lines or {MaxReply} octets.", out fault);
            return false;
        }
        isLast = line.Length == 3 || line[3] == ' ';
        AddText(line.Length > 4 ? Clean(Encoding.UTF8.GetString(line[4..])) : "");
        fault = null;
        return true;
    }

    private void AddText(string text)
    {
        // RFC 2034 §4: the enhanced code comes first on every line, and its class is the first digit of the code.
        var hasEnhanced = EnhancedStatusCode.TryParse(text.AsSpan(), out var enhanced, out var length) && enhanced.Class == _code / 100;
        if (_lines == 1 && hasEnhanced) _enhanced = enhanced;
        if (_lines > 1) _text.Append('\n');
        _text.Append(hasEnhanced && enhanced == _enhanced ? text.AsSpan(length).TrimStart(' ') : text);
    }

    /// <summary>Takes control characters out: the text is shown in terminals, logs and pages. What is not UTF-8 has become U+FFFD.</summary>
    private static string Clean(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c)) return string.Concat(text.Where(static c => !char.IsControl(c) || c == '\t')).Replace('\t', ' ');
        }
        return text;
    }

    private SmtpReplyParse Fail(string what, out string? fault)
    {
        Reset();
        fault = what;
        return SmtpReplyParse.Fault;
    }

    private void Reset()
    {
        _text.Clear();
        _enhanced = null;
        _code = _lines = _octets = 0;
    }
}
