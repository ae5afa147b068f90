using MoxApi.Mail.Smtp;

namespace MoxApi.Inbound.Smtp.Commands;

/// <summary>RSET (RFC 5321 §4.1.1.5).</summary>
internal static class RsetHandler
{
    public static async ValueTask<SmtpReply> ExecuteAsync(SmtpSession session)
    {
        await session.ResetAsync();
        return new SmtpReply(250, new(2, 0, 0), "Ok");
    }
}
