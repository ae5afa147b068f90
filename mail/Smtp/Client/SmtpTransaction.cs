using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>What became of a recipient in one transaction.</summary>
public enum SmtpRecipientOutcome
{
    /// <summary>The server has taken over responsibility (RFC 5321 §4.2.5).</summary>
    Delivered,

    /// <summary>Another try may succeed, later or at another host.</summary>
    TransientFailure,

    /// <summary>Another try at this server will not succeed.</summary>
    PermanentFailure,

    /// <summary>
    /// Nothing speaks against the recipient; a further transaction may follow at once: the server takes no more recipients in this one, or the
    /// connection, used before, turned out to be closed. Somebody else of the transaction got a verdict, or a new connection is due, so a caller
    /// that tries again at once comes to an end.
    /// </summary>
    NotTried,
}

/// <summary>A recipient of a transaction, and what became of it.</summary>
/// <param name="Recipient">The forward-path.</param>
/// <param name="Outcome">What became of it.</param>
/// <param name="Verdict">What decided; null for a recipient beyond the server's RCPTMAX.</param>
public sealed record SmtpRecipientResult(MailAddress Recipient, SmtpRecipientOutcome Outcome, SmtpVerdict? Verdict);

/// <summary>What became of a message in one transaction.</summary>
/// <param name="Recipients">One result for each forward-path of the envelope, in its order.</param>
/// <param name="Steps">The conversation of this transaction.</param>
/// <param name="FinalDotSent">Whether the final dot was, or may have been, sent: from there on the server may have the message.</param>
public sealed record SmtpTransaction(IReadOnlyList<SmtpRecipientResult> Recipients, IReadOnlyList<SmtpStep> Steps, bool FinalDotSent)
{
    /// <summary>Whether the server may have taken the message for a recipient without our learning of it: no answer came to the final dot.</summary>
    public bool IsAmbiguous(SmtpRecipientResult recipient) => FinalDotSent && recipient.Verdict is { Step: SmtpSteps.Body, Fault: not SmtpFault.None };

    /// <summary>Whether it went its way: no fault of the server's or of the network's cut it short.</summary>
    public bool IsAnswered => !Recipients.Any(static r => r.Verdict is { Fault: not SmtpFault.None });

    /// <summary>Whether the caller withheld the final dot.</summary>
    public bool LeaseLost => Recipients.Any(static r => r.Verdict?.Fault == SmtpFault.LeaseLost);
}
