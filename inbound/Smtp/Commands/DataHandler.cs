using System.Buffers;
using System.Text;
using MoxApi.Mail.Smtp;

namespace MoxApi.Inbound.Smtp.Commands;

/// <summary>DATA (RFC 5321 §4.1.1.4).</summary>
internal static class DataHandler
{
    public static async ValueTask<SmtpReply> ExecuteAsync(SmtpSession session)
    {
        // RFC 5321 §4.1.4: DATA only after MAIL and RCPT.
        if (session.Envelope is not { } envelope) return session.Fault(new SmtpReply(503, new(5, 5, 1), "Please send MAIL first."));
        // RFC 5321 §3.3: 554 where all recipients were refused, as happens with pipelining.
        if (envelope.Recipients.Count == 0) return session.Fault(new SmtpReply(554, new(5, 5, 1), "There are no valid recipients."));

        if (session.RefuseForWantOfRoom(envelope.Mail) is { } refusal) return refusal;

        await using var spool = new MessageSpool(session.Options.SpoolFolder ?? Path.GetTempPath(), session.InFlight.Open());
        try
        {
            session.Replies.Write(new SmtpReply(354, null, "Send the message, then a dot on a line of its own."));
            await session.Replies.FlushAsync();
            spool.Writer.Write(Encoding.UTF8.GetBytes(ReceivedField.Write(envelope, session.Options.HostName, session.Time.GetUtcNow())));
            return await session.ReceiveAsync(spool) ?? await StoreAsync(session, spool);
        }
        finally
        {
            // RFC 5321 §4.1.1.4: after the end of the message, whatever became of it, nothing of the transaction is left.
            await session.ResetAsync();
        }
    }

    private static async ValueTask<SmtpReply> StoreAsync(SmtpSession session, MessageSpool spool)
    {
        // RFC 5321 §4.5.3.2.6: the client waits 10 minutes. Whether it still does or not does not decide what is stored: a commit that is
        // given up half-way, or a 250 that does not arrive, would make it send the message again.
        using var deadline = new CancellationTokenSource(session.Options.CommitTimeout, session.Time);
        var reply = await session.Transaction.DataAsync(spool, deadline.Token);
        if (reply.IsSuccess) session.MessageTaken();
        return reply;
    }
}
