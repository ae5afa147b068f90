using System.Diagnostics.CodeAnalysis;
using System.Globalization;

namespace MoxApi.Mail.Smtp;

/// <summary>An enhanced mail system status code, <c>class.subject.detail</c> (RFC 3463 §2).</summary>
/// <param name="Class">2 success, 4 persistent transient failure, 5 permanent failure.</param>
/// <param name="Subject">0 to 999.</param>
/// <param name="Detail">0 to 999.</param>
public readonly record struct EnhancedStatusCode(int Class, int Subject, int Detail)
{
    /// <summary>Reads a code at the start of a reply's text; what follows must be a space or the end.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out EnhancedStatusCode code, out int length)
    {
        code = default;
        length = 0;
        if (text.Length < 5 || text[0] is not ('2' or '4' or '5') || text[1] != '.') return false;
        var at = 2;
        if (!TryNumber(text, ref at, out var subject) || at >= text.Length || text[at++] != '.' || !TryNumber(text, ref at, out var detail)) return false;
        if (at < text.Length && text[at] != ' ') return false;
        code = new EnhancedStatusCode(text[0] - '0', subject, detail);
        length = at;
        return true;
    }

    /// <summary>Reads a whole string as a code.</summary>
    public static bool TryParse([NotNullWhen(true)] string? text, out EnhancedStatusCode code)
    {
        code = default;
        return text is not null && TryParse(text.AsSpan(), out code, out var length) && length == text.Length;
    }

    /// <summary><c>class.subject.detail</c>.</summary>
    public override string ToString() => string.Create(CultureInfo.InvariantCulture, $"{Class}.{Subject}.{Detail}");

    private static bool TryNumber(ReadOnlySpan<char> text, ref int at, out int number)
    {
        number = 0;
        var start = at;
        while (at < text.Length && at - start < 3 && char.IsAsciiDigit(text[at])) number = (number * 10) + text[at++] - '0';
        return at > start;
    }
}
