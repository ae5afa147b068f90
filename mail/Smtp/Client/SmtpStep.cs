namespace MoxApi.Mail.Smtp.Client;

/// <summary>One step of a conversation: what was asked, what the server answered, and how long that took.</summary>
/// <param name="Step">
/// <c>connect</c> (up to and with the greeting), <c>ehlo</c>, <c>helo</c>, <c>starttls</c>, <c>tls</c> (the handshake), <c>mail</c>,
/// <c>rcpt</c>, <c>data</c>, <c>body</c> (from the content's first octet to the answer to the final dot), <c>rset</c> or <c>quit</c>.
/// </param>
/// <param name="Code">The reply's code; 0 where there was no reply: for a local fault, and for the handshake of TLS.</param>
/// <param name="Reply">The reply's text with its enhanced code, lines joined by LF, at most 1,024 characters; or what went wrong, as a sentence.</param>
/// <param name="Ms">From the command's leaving to its reply, in milliseconds.</param>
/// <param name="Address">The recipient, at the step <c>rcpt</c>.</param>
public sealed record SmtpStep(string Step, int Code, string Reply, int Ms, string? Address = null);
