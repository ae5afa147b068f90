using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>The argument of MAIL: the reverse-path and its parameters (RFC 5321 §4.1.1.2).</summary>
internal static class MailGrammar
{
    private static readonly EnhancedStatusCode BadSenderSyntax = new(5, 1, 7);

    public static bool TryParse(
        string argument, SmtpGrammarOptions options, [NotNullWhen(true)] out SmtpCommand? command, [NotNullWhen(false)] out SmtpReply? fault)
    {
        command = null;
        if (!PathGrammar.TrySplit(argument, "FROM:", options, out var path, out var rest, out fault)) return false;
        if (!ParameterGrammar.TrySplit(rest, options, out var parameters, out fault)) return false;
        var mail = new MailCommand(null);
        foreach (var parameter in parameters)
        {
            if (!TryApply(parameter, ref mail, out fault)) return false;
        }
        // The path is read last: whether it may be in UTF-8 is said by a parameter after it (RFC 6531 §3.4).
        MailAddress? address = null;
        if (path.Length > 0 && !PathGrammar.TryMailbox(path, mail.SmtpUtf8, BadSenderSyntax, out address, out fault)) return false;
        command = mail with { ReversePath = address };
        fault = null;
        return true;
    }

    private static bool TryApply(SmtpParameter parameter, ref MailCommand mail, [NotNullWhen(false)] out SmtpReply? fault)
    {
        fault = null;
        switch (parameter.Keyword)
        {
            case "SIZE":
                // RFC 1870 §4: 1*20DIGIT. More than fits is more than anyone takes.
                if (parameter.Value is not { Length: > 0 and <= 20 } digits || digits.AsSpan().ContainsAnyExceptInRange('0', '9'))
                    return Faults.Syntax("SIZE has 1 to 20 digits.", out fault);
                mail = mail with { Size = long.TryParse(digits, NumberStyles.None, CultureInfo.InvariantCulture, out var size) ? size : long.MaxValue };
                return true;
            case "BODY" when string.Equals(parameter.Value, "7BIT", StringComparison.OrdinalIgnoreCase):
                mail = mail with { Body = SmtpBody.SevenBit };
                return true;
            case "BODY" when string.Equals(parameter.Value, "8BITMIME", StringComparison.OrdinalIgnoreCase):
                mail = mail with { Body = SmtpBody.EightBitMime };
                return true;
            case "BODY": return Faults.Syntax("BODY is 7BIT or 8BITMIME.", out fault);
            case "SMTPUTF8":
                if (parameter.Value is not null) return Faults.Syntax("SMTPUTF8 has no value.", out fault); // RFC 6531 §3.4
                mail = mail with { SmtpUtf8 = true };
                return true;
            default: return Faults.Parameter($"MAIL has no parameter {parameter.Keyword} here.", out fault);
        }
    }
}
