namespace MoxApi.Mail.Smtp.Client;

/// <summary>Finds before the first command what a server cannot take, and what MAIL must say for the rest.</summary>
internal sealed class Preflight(SmtpCapabilities capabilities, SmtpTlsSession? tls, SmtpEnvelope envelope, SmtpContent content)
{
    /// <summary>Decides over the recipients that this server cannot serve.</summary>
    public void Judge(RecipientBook book)
    {
        if (JudgeMessage() is { } verdict)
        {
            book.DecideRest(verdict);
            return;
        }
        var sent = 0;
        for (var i = 0; i < envelope.ForwardPaths.Count; i++)
        {
            if (envelope.ForwardPaths[i].NeedsSmtpUtf8 && !capabilities.SmtpUtf8) book.Decide(i, NoSmtpUtf8(SmtpSteps.Rcpt));
            // RFC 9422 §4.2: beyond RCPTMAX the server would refuse; those go into a further transaction.
            else if (++sent > (capabilities.MaxRecipients ?? int.MaxValue)) book.Decide(i, SmtpRecipientOutcome.NotTried, null);
        }
    }

    /// <summary>The command that begins the transaction.</summary>
    public string MailCommand()
    {
        var utf8 = UsesSmtpUtf8;
        var from = utf8 ? envelope.ReversePath?.ToString() : envelope.ReversePath?.ToAscii();
        var line = $"MAIL FROM:<{from}>";
        if (capabilities.Size) line += $" SIZE={content.Size}";
        if (envelope.Is8Bit) line += " BODY=8BITMIME";
        if (utf8) line += " SMTPUTF8";
        if (envelope.RequireTls) line += " REQUIRETLS";
        return line;
    }

    /// <summary>The command for a recipient.</summary>
    public string RcptCommand(int index)
    {
        var path = envelope.ForwardPaths[index];
        // RFC 6531 §3.2: without SMTPUTF8 the domain has A-labels; with it the address goes as people write it.
        return $"RCPT TO:<{(UsesSmtpUtf8 ? path.ToString() : path.ToAscii())}>";
    }

    private bool MessageNeedsSmtpUtf8 => envelope.NeedsSmtpUtf8 || envelope.ReversePath is { NeedsSmtpUtf8: true };

    // Not claimed where it is not needed: a message that asks for it can only be relayed by servers that have it.
    private bool UsesSmtpUtf8 => MessageNeedsSmtpUtf8 || (capabilities.SmtpUtf8 && envelope.ForwardPaths.Any(static p => p.NeedsSmtpUtf8));

    private SmtpVerdict? JudgeMessage()
    {
        if (MessageNeedsSmtpUtf8 && !capabilities.SmtpUtf8) return NoSmtpUtf8(SmtpSteps.Mail);
        // RFC 6152 §3: without 8BITMIME the content would have to be recoded, which breaks its signatures.
        if (envelope.Is8Bit && !capabilities.EightBitMime)
            return Missing(new EnhancedStatusCode(5, 6, 3), "The server does not offer 8BITMIME, which the message needs.", SmtpSteps.Mail);
        // RFC 8689 §4.2.1: the message goes only through TLS, to a server that is the right one and promises the same.
        if (envelope.RequireTls && (!capabilities.RequireTls || tls is null or { Verified: "none" }))
        {
            const string text = "The server does not offer REQUIRETLS in a verified TLS session, which the message asks for.";
            return Missing(new EnhancedStatusCode(5, 7, 30), text, SmtpSteps.Mail);
        }
        return content.Size > (capabilities.MaxSize ?? long.MaxValue)
            ? SmtpVerdict.Of(SmtpSteps.Mail, SmtpFault.TooLarge, $"The message has {content.Size} octets, and the server takes {capabilities.MaxSize}.")
            : null;
    }

    private static SmtpVerdict NoSmtpUtf8(string step) =>
        Missing(new EnhancedStatusCode(5, 6, 7), "The server does not offer SMTPUTF8, which the message or an address needs.", step);

    private static SmtpVerdict Missing(EnhancedStatusCode code, string text, string step) => SmtpVerdict.Of(step, code, SmtpFault.ExtensionMissing, text);
}
