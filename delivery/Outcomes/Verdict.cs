using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Outcomes;

/// <summary>What decided an attempt: a server's reply, DNS, or this side.</summary>
/// <param name="Code">The reply's code; 0 where no server replied.</param>
/// <param name="Enhanced">The enhanced code, where there is one.</param>
/// <param name="Text">The reply's text, or what went wrong here, as a sentence.</param>
/// <param name="Class">The class of the failure.</param>
/// <param name="Ends">Whether no further attempt can succeed.</param>
internal sealed record Verdict(int Code, EnhancedStatusCode? Enhanced, string Text, FailureClass Class, bool Ends)
{
    /// <summary>The reply with its enhanced code, as a server sent it; or the sentence.</summary>
    public string Reply => Code > 0 && Enhanced is { } enhanced ? $"{enhanced} {Text}" : Text;

    /// <summary>
    /// Whether it puts the address on the suppression list, once it is final: never for a policy (x.7.x) or a fault of ours, for those say nothing of the
    /// address, and not without a server's word that the mailbox is gone for good. What was said before the server was told of the address has no such class. A
    /// domain without mail may be a slip in DNS, and a 4xx until the end a server that was busy: those take three in a row.
    /// </summary>
    public SuppressionRule Suppression => Enhanced is { Subject: 7 } ? SuppressionRule.None : Class switch
    {
        FailureClass.MailboxNotFound or FailureClass.MailboxDisabled when Code >= 500 => SuppressionRule.AtOnce,
        FailureClass.MailboxNotFound or FailureClass.DomainNotFound or FailureClass.MailboxFull or FailureClass.MailboxDisabled => SuppressionRule.AfterThree,
        FailureClass.Expired or FailureClass.Other when Code > 0 => SuppressionRule.AfterThree,
        _ => SuppressionRule.None,
    };

    /// <summary>No server took a connection, and nothing says why.</summary>
    public static Verdict NoServer { get; } = new(0, new(4, 4, 1), "No mail server of the destination could be reached.", FailureClass.Network, false);

    /// <summary>The message could not be read as it is stored: nobody else's fault.</summary>
    public static Verdict OwnFault { get; } = new(0, new(4, 3, 0), "The message could not be read for sending.", FailureClass.Other, false);

    /// <summary>The message was held, or waited, until its signatures were no longer valid.</summary>
    public static Verdict TooLate { get; } = new(0, new(4, 4, 7), "The message was held or waiting until its signatures were no longer valid.", FailureClass.Expired, true);

    /// <summary>A server's verdict, or a fault on the way to it.</summary>
    public static Verdict Of(SmtpVerdict verdict) => new(
        verdict.Code, verdict.Enhanced, verdict.Text,
        verdict.IsSuccess ? FailureClass.None : FailureClassifier.Classify(verdict.Step, verdict.Code, verdict.Enhanced, verdict.Text, verdict.Fault),
        verdict.IsPermanent);

    /// <summary>What DNS says of a domain or a host, in the words of a reply that no server sent: so its code is 0.</summary>
    public static Verdict OfDns(SmtpReply failure) => new(
        0, failure.Enhanced, failure.Text,
        failure.Enhanced is { Subject: 1 } ? FailureClass.DomainNotFound : FailureClass.Dns,
        failure.IsPermanent);

    // RFC 8689 §4.2.1: a message with REQUIRETLS that no server can take goes back with 5.7.30.
    /// <summary>The message asks for TLS that the destination does not give.</summary>
    public static Verdict TlsRequired(string why) => new(
        0, new(5, 7, 30), $"The message requires TLS with a verified certificate and REQUIRETLS: {why}", FailureClass.Tls, true);
}
