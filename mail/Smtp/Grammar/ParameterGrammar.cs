using System.Diagnostics.CodeAnalysis;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>A parameter of MAIL or RCPT (RFC 5321 §4.1.2 esmtp-param).</summary>
/// <param name="Keyword">In upper case.</param>
/// <param name="Value">As written; null where there is no <c>=</c>.</param>
internal readonly record struct SmtpParameter(string Keyword, string? Value);

/// <summary>The parameters after a path (RFC 5321 §4.1.2 Mail-parameters, Rcpt-parameters).</summary>
internal static class ParameterGrammar
{
    private const int MaxParameters = 20;

    public static bool TrySplit(string text, SmtpGrammarOptions options, out List<SmtpParameter> parameters, [NotNullWhen(false)] out SmtpReply? fault)
    {
        parameters = [];
        fault = null;
        if (text.Length == 0) return true;
        var split = options.Pedantic ? StringSplitOptions.None : StringSplitOptions.RemoveEmptyEntries;
        foreach (var word in text[1..].Split(' ', split))
        {
            if (!TryRead(word, out var parameter)) return Faults.Syntax("A parameter is malformed.", out fault);
            foreach (var earlier in parameters)
            {
                // Two values of one keyword cannot both hold; which one a server takes would be a guess.
                if (earlier.Keyword == parameter.Keyword) return Faults.Syntax($"The parameter {parameter.Keyword} occurs twice.", out fault);
            }
            if (parameters.Count == MaxParameters) return Faults.Syntax("There are too many parameters.", out fault);
            parameters.Add(parameter);
        }
        return true;
    }

    private static bool TryRead(string word, out SmtpParameter parameter)
    {
        var equals = word.IndexOf('=', StringComparison.Ordinal);
        var keyword = equals < 0 ? word : word[..equals];
        var value = equals < 0 ? null : word[(equals + 1)..];
        parameter = new SmtpParameter(keyword.ToUpperInvariant(), value);
        return IsKeyword(keyword) && value is null or { Length: > 0 } && IsValue(value);
    }

    // esmtp-keyword = (ALPHA / DIGIT) *(ALPHA / DIGIT / "-")
    private static bool IsKeyword(string text)
    {
        if (text.Length == 0 || text[0] == '-') return false;
        foreach (var c in text)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-') return false;
        }
        return true;
    }

    // esmtp-value = 1*(%d33-60 / %d62-126); RFC 6531 §3.3 adds UTF-8.
    private static bool IsValue(string? text)
    {
        foreach (var c in text ?? "")
        {
            if (c is <= ' ' or '=' or '\x7f') return false;
        }
        return true;
    }
}
