using System.Diagnostics.CodeAnalysis;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>The argument of RCPT: the forward-path (RFC 5321 §4.1.1.3).</summary>
internal static class RcptGrammar
{
    private static readonly EnhancedStatusCode BadDestinationSyntax = new(5, 1, 3);

    public static bool TryParse(
        string argument, SmtpGrammarOptions options, [NotNullWhen(true)] out SmtpCommand? command, [NotNullWhen(false)] out SmtpReply? fault)
    {
        command = null;
        if (!PathGrammar.TrySplit(argument, "TO:", options, out var path, out var rest, out fault)) return false;
        if (!ParameterGrammar.TrySplit(rest, options, out var parameters, out fault)) return false;
        if (parameters.Count > 0) return Faults.Parameter($"RCPT has no parameter {parameters[0].Keyword} here.", out fault);
        if (path.Length == 0) return Faults.Mailbox(BadDestinationSyntax, "A recipient is missing.", out fault);
        // RFC 5321 §4.5.1: the one mailbox that needs no domain, without regard to case.
        if (string.Equals(path, "postmaster", StringComparison.OrdinalIgnoreCase))
        {
            command = new RcptCommand(ForwardPath: null);
            return true;
        }
        if (!PathGrammar.TryMailbox(path, options.SmtpUtf8, BadDestinationSyntax, out var address, out fault)) return false;
        command = new RcptCommand(address);
        return true;
    }
}
