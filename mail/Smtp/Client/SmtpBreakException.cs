namespace MoxApi.Mail.Smtp.Client;

/// <summary>Ends a conversation at once: a fault, or a 421. It stays inside the client, which returns the verdict.</summary>
internal sealed class SmtpBreakException : Exception
{
    /// <summary>The words for a server that the caller gave up on before its time was over.</summary>
    public const string GivenUp = "The server took too long while others waited for a connection: it was given up on.";

    public SmtpBreakException(SmtpFault fault, string message, Exception? cause = null)
        : base(message, cause) => Fault = fault;

    public SmtpBreakException(SmtpReply reply)
        : base(reply.Text) => Reply = reply;

    public SmtpFault Fault { get; }

    /// <summary>The 421, where that is the reason.</summary>
    public SmtpReply? Reply { get; }

    public SmtpVerdict At(string step) => Reply is not null ? SmtpVerdict.Of(step, Reply) : SmtpVerdict.Of(step, Fault, Message);
}
