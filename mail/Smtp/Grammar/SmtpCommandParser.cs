using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MoxApi.Mail.Smtp.Grammar;

/// <summary>How a command line is read.</summary>
/// <param name="Pedantic">Refuse what RFC 5321 does not allow, even where it is harmless and common.</param>
/// <param name="SmtpUtf8">Whether the mail transaction that is open was begun with SMTPUTF8; MAIL itself decides by its own parameter.</param>
public readonly record struct SmtpGrammarOptions(bool Pedantic = false, bool SmtpUtf8 = false);

/// <summary>Reads command lines of SMTP clients (RFC 5321 §4.1.1, §4.1.2; RFC 1870, 6152, 6531). Pure: no state is kept between lines.</summary>
public static class SmtpCommandParser
{
    /// <summary>The longest line that is read, in octets, without its CRLF: 512 (RFC 5321 §4.5.3.1.4) with ample room for parameters and UTF-8.</summary>
    public const int MaxLineOctets = 2048;

    private static readonly UTF8Encoding StrictUtf8 = new(encoderShouldEmitUTF8Identifier: false, throwOnInvalidBytes: true);

    /// <summary>Reads one command line.</summary>
    /// <param name="line">The line without its CRLF.</param>
    /// <param name="options">How strict to be, and whether UTF-8 is agreed.</param>
    /// <param name="command">The command, when the line is one.</param>
    /// <param name="fault">The reply for the client, 500, 501, 553 or 555, when it is not.</param>
    public static bool TryParse(
        ReadOnlySpan<byte> line, SmtpGrammarOptions options, [NotNullWhen(true)] out SmtpCommand? command, [NotNullWhen(false)] out SmtpReply? fault)
    {
        command = null;
        if (!TryDecode(line, out var text, out fault)) return false;
        // RFC 5321 §4.1.1: white space before the CRLF should be tolerated.
        text = text.TrimEnd(' ');
        var space = text.IndexOf(' ', StringComparison.Ordinal);
        // RFC 5321 §2.4: verbs are compared without regard to case.
        var verb = (space < 0 ? text : text[..space]).ToUpperInvariant();
        var argument = space < 0 ? "" : text[(space + 1)..];
        switch (verb)
        {
            case "EHLO" or "HELO": return HelloGrammar.TryParse(verb == "EHLO", argument, options, out command, out fault);
            case "MAIL": return MailGrammar.TryParse(argument, options, out command, out fault);
            case "RCPT": return RcptGrammar.TryParse(argument, options, out command, out fault);
            case "DATA": return WithoutArgument(new DataCommand(), argument, out command, out fault);
            case "RSET": return WithoutArgument(new RsetCommand(), argument, out command, out fault);
            case "QUIT": return WithoutArgument(new QuitCommand(), argument, out command, out fault);
            case "NOOP": return Success(new NoopCommand(), out command, out fault);
            case "HELP": return Success(new HelpCommand(), out command, out fault);
            case "VRFY":
                return argument.Length == 0
                    ? Faults.Syntax("VRFY needs a name or an address.", out fault)
                    : Success(new VrfyCommand(argument), out command, out fault);
            case "EXPN" or "STARTTLS" or "AUTH" or "BDAT" or "ETRN" or "TURN" or "ATRN" or "BURL":
                return Success(new UnsupportedCommand(verb), out command, out fault);
            default: return Faults.Unrecognized("The command is not recognized.", out fault);
        }
    }

    private static bool TryDecode(ReadOnlySpan<byte> line, out string text, [NotNullWhen(false)] out SmtpReply? fault)
    {
        text = "";
        if (line.Length > MaxLineOctets) return Faults.Unrecognized("The line is too long.", out fault);
        try
        {
            text = StrictUtf8.GetString(line);
        }
        catch (DecoderFallbackException)
        {
            // RFC 6531 §3.3: what is not ASCII is UTF-8.
            return Faults.Unrecognized("The line is not UTF-8.", out fault);
        }
        foreach (var c in text)
        {
            // RFC 5321 §2.3.8: CR and LF occur only together, as a line's end; no other control has a place in a command either.
            if (char.IsControl(c)) return Faults.Unrecognized("The line has a control character.", out fault);
        }
        fault = null;
        return true;
    }

    private static bool WithoutArgument(SmtpCommand parsed, string argument, [NotNullWhen(true)] out SmtpCommand? command, [NotNullWhen(false)] out SmtpReply? fault)
    {
        command = null;
        // RFC 5321 §4.1.1: 501 where a command that has no argument is given one.
        return argument.Length > 0 ? Faults.Syntax("The command takes no argument.", out fault) : Success(parsed, out command, out fault);
    }

    private static bool Success(SmtpCommand parsed, [NotNullWhen(true)] out SmtpCommand? command, [NotNullWhen(false)] out SmtpReply? fault)
    {
        command = parsed;
        fault = null;
        return true;
    }
}
