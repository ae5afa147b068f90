using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Outcomes;

/// <summary>Finds the class of a failure, first by its enhanced code (RFC 3463), then by its words and code, then by the fault on our side.</summary>
internal static class FailureClassifier
{
    /// <summary>The class of what a server or this side said.</summary>
    /// <param name="step">The step at which it was said; one of <see cref="SmtpSteps"/>.</param>
    /// <param name="code">The reply's code.</param>
    /// <param name="enhanced">Its enhanced code.</param>
    /// <param name="text">Its text.</param>
    /// <param name="fault">What went wrong on this side.</param>
    public static FailureClass Classify(string step, int code, EnhancedStatusCode? enhanced, string text, SmtpFault fault)
    {
        if (fault != SmtpFault.None) return OfFault(fault);
        var found = (enhanced is { } known ? OfEnhanced(known, code, text) : null) ?? OfWords(code, text);
        return IsOfRecipient(step) || !IsOfAddress(found) ? found : code >= 500 ? FailureClass.Policy : FailureClass.Network;
    }

    // Whether what a server says at a step may be about the recipient. Before RCPT it has heard of none: it refuses us, or our sender.
    private static bool IsOfRecipient(string step) => step is SmtpSteps.Rcpt or SmtpSteps.Body;

    // What counts against an address, as OutcomeWriter looks for in earlier failures.
    private static bool IsOfAddress(FailureClass found) => found is FailureClass.MailboxNotFound or FailureClass.DomainNotFound or FailureClass.MailboxFull
        or FailureClass.MailboxDisabled or FailureClass.Expired or FailureClass.Other;

    private static FailureClass OfFault(SmtpFault fault) => fault switch
    {
        SmtpFault.TlsUnavailable or SmtpFault.TlsFailed => FailureClass.Tls,
        SmtpFault.ProtocolViolation => FailureClass.Protocol,
        SmtpFault.ExtensionMissing => FailureClass.Content,
        SmtpFault.TooLarge => FailureClass.MessageTooLarge,
        SmtpFault.LeaseLost => FailureClass.Interrupted,
        _ => FailureClass.Network,
    };

    private static FailureClass? OfEnhanced(EnhancedStatusCode enhanced, int code, string text) => (enhanced.Subject, enhanced.Detail) switch
    {
        (1, 1 or 3 or 6) => FailureClass.MailboxNotFound,
        (1, 2 or 10) => FailureClass.DomainNotFound, // RFC 7505 §4.2: 5.1.10 is the null MX.
        (2, 1) => FailureClass.MailboxDisabled,
        (2, 2) => FailureClass.MailboxFull,
        (2, 3) or (3, 4) => FailureClass.MessageTooLarge,
        (4, 3 or 4 or 6) => FailureClass.Dns,
        (4, 7) => FailureClass.Expired,
        (5, _) => FailureClass.Protocol,
        (6, _) => FailureClass.Content,
        (7, 20 or 21 or 22 or 23 or 24 or 25 or 26 or 27) => FailureClass.Authentication, // RFC 7372 §3: DKIM, SPF, reverse DNS.
        (7, 5 or 10 or 30) => FailureClass.Tls, // RFC 8689 §8: 5.7.30 is REQUIRETLS.
        (7, _) => OfPolicy(code, text),
        _ => null,
    };

    private static FailureClass OfPolicy(int code, string text) => OfWords(code, text) is var found && found != FailureClass.Other ? found : FailureClass.Policy;

    // Servers without enhanced codes, and 4.7.x and 5.7.x, which say "policy" for anything. The words that the large ones use.
    private static FailureClass OfWords(int code, string text)
    {
        if (Says("greylist", "greylisted", "graylist")) return FailureClass.Greylisted;
        if (Says("spam", "blocklist", "blacklist", "block list", "reputation", "spamhaus")) return FailureClass.Spam;
        if (Says("rate limit", "too many", "too fast", "too quickly", "throttl")) return FailureClass.RateLimited;
        if (Says("dmarc", "spf", "dkim", "unauthenticated")) return FailureClass.Authentication;
        if (Says("policy", "sender", "blocked", "denied")) return FailureClass.Policy;
        if (code is 552 or 452 && Says("quota", "full", "storage")) return FailureClass.MailboxFull;
        if (code == 552) return FailureClass.MessageTooLarge;
        // Not "mailbox unavailable": RFC 5321 §4.2.3 has it for any 550, "mailbox not found, no access, or command rejected for policy reasons".
        if (code is 550 or 551 or 553 && Says("user unknown", "unknown user", "no such user", "does not exist", "not exist", "mailbox not found", "invalid recipient", "recipient rejected"))
            return FailureClass.MailboxNotFound;
        return code is >= 500 and < 505 ? FailureClass.Protocol : FailureClass.Other;

        bool Says(params ReadOnlySpan<string> words)
        {
            foreach (var word in words)
            {
                if (text.Contains(word, StringComparison.OrdinalIgnoreCase)) return true;
            }
            return false;
        }
    }
}
