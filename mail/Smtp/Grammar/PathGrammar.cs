using System.Diagnostics.CodeAnalysis;
using System.Text;
using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>Paths of MAIL and RCPT: <c>&lt;mailbox&gt;</c>, perhaps with a source route before it (RFC 5321 §4.1.2).</summary>
internal static class PathGrammar
{
    /// <summary>Splits <c>FROM:&lt;path&gt; parameters</c> into the path, without brackets and source route, and the parameters.</summary>
    public static bool TrySplit(
        string argument, string keyword, SmtpGrammarOptions options, out string mailbox, out string parameters, [NotNullWhen(false)] out SmtpReply? fault)
    {
        mailbox = parameters = "";
        if (!argument.StartsWith(keyword, StringComparison.OrdinalIgnoreCase)) return Faults.Syntax($"{keyword}<address> is missing.", out fault);
        var rest = argument[keyword.Length..];
        // RFC 5321 §3.3: there is no space after the colon; enough clients write one that only pedants refuse it.
        if (!options.Pedantic) rest = rest.TrimStart(' ');
        if (rest.Length == 0 || rest[0] != '<') return Faults.Syntax("The address stands between < and >.", out fault);
        var end = EndOfPath(rest);
        if (end < 0) return Faults.Syntax("The address has no closing >.", out fault);
        if (end + 1 < rest.Length && rest[end + 1] != ' ') return Faults.Syntax("A space stands between the address and its parameters.", out fault);
        parameters = rest[(end + 1)..];
        return TryDropRoute(rest[1..end], out mailbox, out fault);
    }

    /// <summary>Reads a mailbox, in UTF-8 only where that is agreed.</summary>
    public static bool TryMailbox(
        string text, bool smtpUtf8, EnhancedStatusCode syntax, [NotNullWhen(true)] out MailAddress? address, [NotNullWhen(false)] out SmtpReply? fault)
    {
        address = null;
        // RFC 6531 §3.5: 553 and X.6.7 where the address needs SMTPUTF8 and the transaction has not asked for it.
        if (!smtpUtf8 && !Ascii.IsValid(text)) return Faults.Mailbox(new(5, 6, 7), "An address that is not ASCII needs SMTPUTF8.", out fault);
        if (!MailAddress.TryParse(text, out address, out var why)) return Faults.Mailbox(syntax, why, out fault);
        fault = null;
        return true;
    }

    // The first > that is not inside a quoted local part, where it may stand for itself.
    private static int EndOfPath(string text)
    {
        var quoted = false;
        for (var at = 1; at < text.Length; at++)
        {
            if (quoted && text[at] == '\\') at++;
            else if (text[at] == '"') quoted = !quoted;
            else if (text[at] == '>' && !quoted) return at;
        }
        return -1;
    }

    // RFC 5321 §4.1.2, appendix C: A-d-l ":" is still understood and always ignored.
    private static bool TryDropRoute(string path, out string mailbox, [NotNullWhen(false)] out SmtpReply? fault)
    {
        mailbox = path;
        fault = null;
        if (path.Length == 0 || path[0] != '@') return true;
        var colon = path.IndexOf(':', StringComparison.Ordinal);
        if (colon < 0) return Faults.Syntax("The source route has no colon after it.", out fault);
        foreach (var hop in path[..colon].Split(','))
        {
            if (hop.Length < 2 || hop[0] != '@' || !MailDomain.TryParse(hop[1..], out _, out _)) return Faults.Syntax("The source route is malformed.", out fault);
        }
        mailbox = path[(colon + 1)..];
        return mailbox.Length > 0 || Faults.Syntax("The source route leads to no mailbox.", out fault);
    }
}
