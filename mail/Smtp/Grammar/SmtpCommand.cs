using System.Globalization;
using MoxApi.Mail.Addresses;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>
/// A command of an SMTP client, read from one line (RFC 5321 §4.1.1). <see cref="object.ToString"/> writes the line again, in its plainest
/// form and without its CRLF.
/// </summary>
public abstract record SmtpCommand;

/// <summary>EHLO or HELO (RFC 5321 §4.1.1.1).</summary>
/// <param name="Extended">Whether it was EHLO.</param>
/// <param name="Name">What the client calls itself: 1 to 255 letters, digits and <c>-._:[]</c>, so that it is safe in a trace field. A claim, not a fact.</param>
public sealed record HelloCommand(bool Extended, string Name) : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => $"{(Extended ? "EHLO" : "HELO")} {Name}";
}

/// <summary>What the client says about the content of a message (RFC 6152 §2).</summary>
public enum SmtpBody
{
    /// <summary>Nothing was said.</summary>
    Unspecified,

    /// <summary><c>BODY=7BIT</c>.</summary>
    SevenBit,

    /// <summary><c>BODY=8BITMIME</c>.</summary>
    EightBitMime,
}

/// <summary>MAIL (RFC 5321 §4.1.1.2): begins a mail transaction.</summary>
/// <param name="ReversePath">The sender; null is the null reverse-path <c>&lt;&gt;</c> of notifications (RFC 5321 §4.5.5).</param>
/// <param name="Size">The announced octets of the message, where the client announced them (RFC 1870 §6); more than fit are <see cref="long.MaxValue"/>.</param>
/// <param name="Body">The announced kind of content.</param>
/// <param name="SmtpUtf8">Whether addresses and header fields may be in UTF-8 (RFC 6531 §3.4).</param>
public sealed record MailCommand(MailAddress? ReversePath, long? Size = null, SmtpBody Body = SmtpBody.Unspecified, bool SmtpUtf8 = false) : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString()
    {
        var path = SmtpUtf8 ? ReversePath?.ToString() : ReversePath?.ToAscii();
        var size = Size is { } octets ? string.Create(CultureInfo.InvariantCulture, $" SIZE={octets}") : "";
        var body = Body switch { SmtpBody.SevenBit => " BODY=7BIT", SmtpBody.EightBitMime => " BODY=8BITMIME", _ => "" };
        return $"MAIL FROM:<{path}>{size}{body}{(SmtpUtf8 ? " SMTPUTF8" : "")}";
    }
}

/// <summary>RCPT (RFC 5321 §4.1.1.3): names one recipient.</summary>
/// <param name="ForwardPath">The recipient; null is <c>&lt;Postmaster&gt;</c> without a domain, which every server takes (RFC 5321 §4.5.1).</param>
public sealed record RcptCommand(MailAddress? ForwardPath) : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() =>
        $"RCPT TO:<{(ForwardPath is null ? "Postmaster" : ForwardPath.NeedsSmtpUtf8 ? ForwardPath.ToString() : ForwardPath.ToAscii())}>";
}

/// <summary>DATA (RFC 5321 §4.1.1.4): the message follows.</summary>
public sealed record DataCommand : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => "DATA";
}

/// <summary>RSET (RFC 5321 §4.1.1.5): ends the mail transaction without sending.</summary>
public sealed record RsetCommand : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => "RSET";
}

/// <summary>NOOP (RFC 5321 §4.1.1.9); its argument means nothing.</summary>
public sealed record NoopCommand : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => "NOOP";
}

/// <summary>QUIT (RFC 5321 §4.1.1.10).</summary>
public sealed record QuitCommand : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => "QUIT";
}

/// <summary>VRFY (RFC 5321 §4.1.1.6).</summary>
/// <param name="Who">A user's name or address, as the client wrote it.</param>
public sealed record VrfyCommand(string Who) : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => $"VRFY {Who}";
}

/// <summary>HELP (RFC 5321 §4.1.1.8); its argument is not looked at.</summary>
public sealed record HelpCommand : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => "HELP";
}

/// <summary>A command that is known, but that this grammar does not read: EXPN, STARTTLS, AUTH, BDAT and the like.</summary>
/// <param name="Verb">In upper case.</param>
public sealed record UnsupportedCommand(string Verb) : SmtpCommand
{
    /// <inheritdoc/>
    public override string ToString() => Verb;
}
