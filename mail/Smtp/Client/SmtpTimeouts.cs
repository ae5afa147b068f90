using System.ComponentModel.DataAnnotations;

namespace MoxApi.Mail.Smtp.Client;

/// <summary>How long the client waits at each step; the defaults are those of RFC 5321 §4.5.3.2.</summary>
public sealed record SmtpTimeouts
{
    /// <summary>For the greeting, after TCP has connected: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Greeting { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the replies to EHLO, HELO, STARTTLS and RSET: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Command { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the handshake of TLS: 1 minute.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Tls { get; init; } = TimeSpan.FromMinutes(1);

    /// <summary>For the reply to MAIL: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Mail { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the reply to each RCPT: 5 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Rcpt { get; init; } = TimeSpan.FromMinutes(5);

    /// <summary>For the reply to DATA: 2 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan DataInitiation { get; init; } = TimeSpan.FromMinutes(2);

    /// <summary>For each block of the content, or batch of commands, to leave: 3 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Write { get; init; } = TimeSpan.FromMinutes(3);

    /// <summary>For a transaction from MAIL to its final dot: 30 minutes. A server that uses up every other time does not hold a connection all day.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Transaction { get; init; } = TimeSpan.FromMinutes(30);

    /// <summary>For the reply to the final dot: 10 minutes.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan FinalDot { get; init; } = TimeSpan.FromMinutes(10);

    /// <summary>For the reply to QUIT, which changes nothing any more: 5 seconds.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "1.00:00:00")]
    public TimeSpan Quit { get; init; } = TimeSpan.FromSeconds(5);
}
