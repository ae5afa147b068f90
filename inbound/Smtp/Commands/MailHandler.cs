using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;

namespace MoxApi.Inbound.Smtp.Commands;

/// <summary>MAIL (RFC 5321 §4.1.1.2).</summary>
internal static class MailHandler
{
    public static async ValueTask<SmtpReply> ExecuteAsync(SmtpSession session, MailCommand mail, CancellationToken cancellationToken)
    {
        // RFC 5321 §4.1.4: EHLO or HELO before any mail transaction.
        if (session.Hello is not { } hello) return session.Fault(new SmtpReply(503, new(5, 5, 1), "Please send EHLO first."));
        // RFC 5321 §4.1.4: no MAIL while a transaction is open.
        if (session.Envelope is not null) return session.Fault(new SmtpReply(503, new(5, 5, 1), "A mail transaction is open already; RSET ends it."));
        // RFC 1870 §6.1: what is announced as too long is refused before it is sent.
        if (mail.Size > session.Options.MaxMessageOctets)
            return new SmtpReply(552, new(5, 3, 4), $"A message has at most {session.Options.MaxMessageOctets} octets here.");
        if (session.RefuseForWantOfRoom(mail) is { } refusal) return refusal;

        var taken = false;
        try
        {
            var reply = await session.Begin(hello, mail).MailAsync(cancellationToken);
            taken = reply.IsSuccess;
            return reply;
        }
        finally
        {
            if (!taken) await session.ResetAsync();
        }
    }
}
