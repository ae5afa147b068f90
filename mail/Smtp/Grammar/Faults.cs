namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>The replies to lines that are no command.</summary>
internal static class Faults
{
    /// <summary>RFC 3463 §3.6: X.5.2, the command could not be interpreted.</summary>
    public static bool Unrecognized(string text, out SmtpReply fault) => Fail(500, new(5, 5, 2), text, out fault);

    /// <summary>RFC 3463 §3.6: X.5.4, the command is known and its arguments are wrong.</summary>
    public static bool Syntax(string text, out SmtpReply fault) => Fail(501, new(5, 5, 4), text, out fault);

    /// <summary>RFC 5321 §4.1.1.11: 555 for parameters of MAIL and RCPT that are not recognized.</summary>
    public static bool Parameter(string text, out SmtpReply fault) => Fail(555, new(5, 5, 4), text, out fault);

    /// <summary>RFC 5321 §4.2.3: 553, the mailbox's name is not allowed.</summary>
    public static bool Mailbox(EnhancedStatusCode enhanced, string text, out SmtpReply fault) => Fail(553, enhanced, text, out fault);

    private static bool Fail(int code, EnhancedStatusCode enhanced, string text, out SmtpReply fault)
    {
        fault = new SmtpReply(code, enhanced, text);
        return false;
    }
}
