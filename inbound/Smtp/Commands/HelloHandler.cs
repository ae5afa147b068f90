using MoxApi.Mail.Smtp;
using MoxApi.Mail.Smtp.Grammar;

namespace MoxApi.Inbound.Smtp.Commands;

/// <summary>EHLO and HELO (RFC 5321 §4.1.1.1).</summary>
internal static class HelloHandler
{
    public static async ValueTask<SmtpReply> ExecuteAsync(SmtpSession session, HelloCommand hello)
    {
        // RFC 5321 §4.1.4: EHLO in the middle of a session also does what RSET does.
        await session.ResetAsync();
        session.Hello = hello;
        var greeting = $"{session.Options.HostName} greets {hello.Name}";
        return new SmtpReply(250, null, hello.Extended ? string.Join('\n', [greeting, .. Extensions(session)]) : greeting);
    }

    // Each is announced here and nowhere else. RFC 3207 §4.2, RFC 4954 §4: some depend on the session's state.
    private static IEnumerable<string> Extensions(SmtpSession session) =>
    [
        "PIPELINING", // RFC 2920
        FormattableString.Invariant($"SIZE {session.Options.MaxMessageOctets}"), // RFC 1870
        "8BITMIME", // RFC 6152
        "SMTPUTF8", // RFC 6531
        "ENHANCEDSTATUSCODES", // RFC 2034
    ];
}
