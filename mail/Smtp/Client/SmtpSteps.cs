namespace MoxApi.Mail.Smtp.Client;

/// <summary>The names of the steps of a conversation, as <see cref="SmtpStep"/> tells them.</summary>
public static class SmtpSteps
{
    /// <summary>The TCP connection and the greeting.</summary>
    public const string Connect = "connect";

    /// <summary>EHLO.</summary>
    public const string Ehlo = "ehlo";

    /// <summary>HELO, after EHLO was refused.</summary>
    public const string Helo = "helo";

    /// <summary>STARTTLS.</summary>
    public const string StartTls = "starttls";

    /// <summary>The handshake of TLS.</summary>
    public const string Tls = "tls";

    /// <summary>MAIL FROM.</summary>
    public const string Mail = "mail";

    /// <summary>RCPT TO.</summary>
    public const string Rcpt = "rcpt";

    /// <summary>DATA.</summary>
    public const string Data = "data";

    /// <summary>The content and the final dot.</summary>
    public const string Body = "body";

    /// <summary>RSET.</summary>
    public const string Rset = "rset";

    /// <summary>QUIT.</summary>
    public const string Quit = "quit";
}
