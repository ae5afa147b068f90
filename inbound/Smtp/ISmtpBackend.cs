using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;

namespace MoxApi.Inbound.Smtp;

/// <summary>What decides about mail, behind the protocol. One object serves all connections.</summary>
internal interface ISmtpBackend
{
    /// <summary>Begins a mail transaction, with a dependency-injection scope of its own where one is needed.</summary>
    /// <param name="envelope">Grows as the transaction goes on.</param>
    ISmtpTransaction Begin(SmtpEnvelope envelope);
}

/// <summary>
/// One mail transaction, from MAIL to its end; disposed then, however it ended. Each answer is the reply for the client: 2xx goes on, anything
/// else refuses, and 421 closes the connection too. Answers may take their time without holding up other connections; an exception
/// becomes 451.
/// </summary>
internal interface ISmtpTransaction : IAsyncDisposable
{
    /// <summary>Decides about the sender, <see cref="SmtpEnvelope.ReversePath"/>.</summary>
    /// <param name="cancellationToken">Ends when the client leaves or the server stops.</param>
    ValueTask<SmtpReply> MailAsync(CancellationToken cancellationToken);

    /// <summary>Decides about a recipient, which joins <see cref="SmtpEnvelope.Recipients"/> if taken.</summary>
    /// <param name="recipient">Such as the client wrote it; <c>&lt;Postmaster&gt;</c> without a domain has got our host name.</param>
    /// <param name="cancellationToken">Ends when the client leaves or the server stops.</param>
    ValueTask<SmtpReply> RcptAsync(MailAddress recipient, CancellationToken cancellationToken);

    /// <summary>Stores the message. 2xx says that it is committed (RFC 5321 §6.1: from then on the responsibility is ours).</summary>
    /// <param name="content">The message with our Received field before it; valid until this returns.</param>
    /// <param name="cancellationToken">Ends at our own deadline, not when the client leaves.</param>
    ValueTask<SmtpReply> DataAsync(MessageSpool content, CancellationToken cancellationToken);
}
