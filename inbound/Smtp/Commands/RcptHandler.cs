using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;

namespace MoxApi.Inbound.Smtp.Commands;

/// <summary>RCPT (RFC 5321 §4.1.1.3).</summary>
internal static class RcptHandler
{
    public static async ValueTask<SmtpReply> ExecuteAsync(SmtpSession session, RcptCommand rcpt, CancellationToken cancellationToken)
    {
        // RFC 5321 §4.1.4: RCPT only after MAIL.
        if (session.Envelope is not { } envelope) return session.Fault(new SmtpReply(503, new(5, 5, 1), "Please send MAIL first."));
        // RFC 5321 §4.5.3.1.10: 452 and not 552, so that the client sends the rest in a further transaction.
        if (envelope.Recipients.Count >= session.Options.MaxRecipients)
            return new SmtpReply(452, new(4, 5, 3), "Too many recipients, please send the others in a further transaction.");

        var recipient = rcpt.ForwardPath ?? MailAddress.Parse($"postmaster@{session.Options.HostName}");
        var reply = await session.Transaction.RcptAsync(recipient, cancellationToken);
        if (reply.IsSuccess) envelope.Add(recipient);
        // RFC 5321 §7.3: RCPT tells who exists as VRFY would, so a connection may not guess for long.
        return reply.IsPermanent && session.Options.RefusedRecipientsAreFaults ? session.Fault(reply) : reply;
    }
}
