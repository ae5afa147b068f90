namespace MoxApi.Mail.Smtp.Client;

/// <summary>What decided over a recipient or a connection: a reply of the server, or a fault found on our side.</summary>
public sealed record SmtpVerdict
{
    private SmtpVerdict(string step, SmtpFault fault, int code, EnhancedStatusCode? enhanced, string text)
    {
        Step = step;
        Fault = fault;
        Code = code;
        Enhanced = enhanced;
        Text = text;
    }

    /// <summary>The step of the conversation where it was decided; one of <see cref="SmtpSteps"/>.</summary>
    public string Step { get; }

    /// <summary><see cref="SmtpFault.None"/> where the server's reply decided.</summary>
    public SmtpFault Fault { get; }

    /// <summary>The reply's code, or 0.</summary>
    public int Code { get; }

    /// <summary>The enhanced code of the reply, where it has one; for a fault, the one that describes it (RFC 3463).</summary>
    public EnhancedStatusCode? Enhanced { get; }

    /// <summary>The reply's text without codes, lines joined by LF, at most 1,024 characters; for a fault, a sentence for people.</summary>
    public string Text { get; }

    /// <summary>Whether the server said yes.</summary>
    public bool IsSuccess => Code is >= 200 and < 300;

    /// <summary>Whether no further try will succeed: a 5xx reply, or a message that this server cannot take.</summary>
    public bool IsPermanent => Code is >= 500 || Fault is SmtpFault.ExtensionMissing or SmtpFault.TooLarge;

    /// <summary>Whether it failed, and another try may succeed.</summary>
    public bool IsTransient => !IsSuccess && !IsPermanent;

    /// <summary>
    /// Of <see cref="SmtpFault.TlsFailed"/>: whether that is a matter of the moment (a 4xx reply, a connection that broke, no answer in time), and not of what the
    /// server can do or who it is.
    /// </summary>
    public bool MayPass { get; init; }

    /// <summary>The whole, as people read it.</summary>
    public override string ToString() => Fault != SmtpFault.None ? Text : new SmtpReply(Code, Enhanced, Text).ToString();

    internal static SmtpVerdict Of(string step, SmtpReply reply) =>
        new(step, SmtpFault.None, reply.Code, reply.Enhanced, Conversation.Shorten(reply.Text));

    internal static SmtpVerdict Of(string step, SmtpFault fault, string text) => new(step, fault, 0, Describe(fault), text);

    internal static SmtpVerdict Of(string step, EnhancedStatusCode enhanced, SmtpFault fault, string text) => new(step, fault, 0, enhanced, text);

    // RFC 3463 §3.5 and §3.8.
    private static EnhancedStatusCode? Describe(SmtpFault fault) => fault switch
    {
        SmtpFault.AddressRefused or SmtpFault.ConnectFailed => new EnhancedStatusCode(4, 4, 1),
        SmtpFault.TimedOut or SmtpFault.Disconnected => new EnhancedStatusCode(4, 4, 2),
        SmtpFault.ProtocolViolation => new EnhancedStatusCode(4, 5, 0),
        SmtpFault.TlsUnavailable => new EnhancedStatusCode(4, 7, 4),
        SmtpFault.TlsFailed => new EnhancedStatusCode(4, 7, 5),
        SmtpFault.TooLarge => new EnhancedStatusCode(5, 3, 4),
        SmtpFault.LeaseLost => new EnhancedStatusCode(4, 3, 0),
        _ => null,
    };
}
