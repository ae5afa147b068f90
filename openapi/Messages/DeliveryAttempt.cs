namespace MoxApi.OpenApi.Messages;

/// <summary>One attempt to deliver to one recipient, with everything the two servers said.</summary>
public sealed record DeliveryAttempt
{
    /// <summary>Counts a recipient's attempts from 1.</summary>
    /// <example>1</example>
    public required int Number { get; init; }

    /// <summary>When the attempt began.</summary>
    /// <example>2026-11-22T10:00:00.201Z</example>
    public required DateTimeOffset At { get; init; }

    /// <summary>How long the attempt took, in milliseconds.</summary>
    /// <example>212</example>
    public required int DurationMs { get; init; }

    /// <summary>How the attempt ended.</summary>
    public required AttemptOutcome Outcome { get; init; }

    /// <summary>The name of the mail server; absent when none was reached.</summary>
    /// <example>mx1.example.org</example>
    public string? RemoteHost { get; init; }

    /// <summary>The address that was connected to; absent when none was reached.</summary>
    /// <example>192.0.2.10</example>
    public string? RemoteAddress { get; init; }

    /// <summary>The protection of the connection; absent on a connection in clear.</summary>
    public AttemptTls? Tls { get; init; }

    /// <summary>The deciding reply's code; absent when no server replied.</summary>
    /// <example>250</example>
    public int? SmtpCode { get; init; }

    /// <summary>The enhanced status code (RFC 3463) of the reply, or our own where no server gave one.</summary>
    /// <example>2.0.0</example>
    public string? EnhancedCode { get; init; }

    /// <summary>The deciding reply's text, or what went wrong before a server replied.</summary>
    /// <example>2.0.0 Ok: queued</example>
    public required string Reply { get; init; }

    /// <summary>Why the attempt failed.</summary>
    public required FailureClass FailureClass { get; init; }

    /// <summary>Every step of the conversation, in order.</summary>
    public required IReadOnlyList<ConversationStep> Conversation { get; init; }
}

/// <summary>How an attempt ended. <c>interrupted</c>: our node died in it, so that the server may have taken the message all the same.</summary>
public enum AttemptOutcome
{
    Delivered,
    Delayed,
    Failed,
    Interrupted,
}

/// <summary>The protection of a connection.</summary>
public sealed record AttemptTls
{
    /// <summary>The TLS version.</summary>
    /// <example>1.3</example>
    public required string Version { get; init; }

    /// <summary>The cipher suite's IANA name.</summary>
    /// <example>TLS_AES_256_GCM_SHA384</example>
    public required string Cipher { get; init; }

    /// <summary>What the certificate was verified by.</summary>
    public required TlsVerification Verified { get; init; }
}

/// <summary>What a certificate was verified by: <c>none</c>, <c>pkix</c> (a public authority) or <c>dane</c> (a signed DNS record, RFC 7672).</summary>
public enum TlsVerification
{
    None,
    Pkix,
    Dane,
}

/// <summary>One step of an SMTP conversation.</summary>
public sealed record ConversationStep
{
    /// <summary>The step: <c>connect</c>, or the command in lower case.</summary>
    /// <example>connect</example>
    public required string Step { get; init; }

    /// <summary>The reply's code; absent when none came.</summary>
    /// <example>220</example>
    public int? Code { get; init; }

    /// <summary>The reply's text; absent when none came.</summary>
    /// <example>mx1.example.org ESMTP</example>
    public string? Reply { get; init; }

    /// <summary>How long the step took, in milliseconds.</summary>
    /// <example>31</example>
    public required int Ms { get; init; }

    /// <summary>Whom the step was about: the server at <c>connect</c>, the recipient at <c>rcpt</c>; absent at other steps.</summary>
    /// <example>mx1.example.org [192.0.2.10]</example>
    public string? Address { get; init; }
}
