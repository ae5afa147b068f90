namespace MoxApi.Mail.Smtp;

/// <summary>A reply of an SMTP server: a code, perhaps an enhanced status code, and its text (RFC 5321 §4.2).</summary>
/// <param name="Code">200 to 599; the first digit decides success, further input, transient or permanent failure.</param>
/// <param name="Enhanced">The enhanced status code, where the reply has one (RFC 2034).</param>
/// <param name="Text">The text without codes, lines joined by LF.</param>
public sealed record SmtpReply(int Code, EnhancedStatusCode? Enhanced, string Text)
{
    /// <summary>2xx.</summary>
    public bool IsSuccess => Code is >= 200 and < 300;

    /// <summary>3xx: the server waits for more, as after DATA.</summary>
    public bool IsIntermediate => Code is >= 300 and < 400;

    /// <summary>4xx: another try may succeed.</summary>
    public bool IsTransient => Code is >= 400 and < 500;

    /// <summary>5xx: another try will not succeed.</summary>
    public bool IsPermanent => Code is >= 500 and < 600;

    /// <summary>The reply in one line, as people read it: code, enhanced code, text.</summary>
    public override string ToString() => Enhanced is { } enhanced ? $"{Code} {enhanced} {Text}" : $"{Code} {Text}";
}
