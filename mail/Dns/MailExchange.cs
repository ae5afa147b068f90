namespace MoxApi.Mail.Dns;

/// <summary>An MX record (RFC 1035 §3.3.9).</summary>
/// <param name="Preference">0 to 65535; lower comes first.</param>
/// <param name="Host">The host's name in lower case without the trailing dot; empty for the root, which says "no mail" (RFC 7505).</param>
public sealed record MailExchange(int Preference, string Host);
