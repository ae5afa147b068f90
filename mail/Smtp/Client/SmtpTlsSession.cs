namespace MoxApi.Mail.Smtp.Client;

/// <summary>What was negotiated for a connection.</summary>
/// <param name="Version"><c>1.2</c> or <c>1.3</c>.</param>
/// <param name="Cipher">The cipher suite's name in the IANA registry, such as <c>TLS_AES_256_GCM_SHA384</c>.</param>
/// <param name="Verified"><c>pkix</c> if the certificate is valid for the host's name and leads to a trusted root, else <c>none</c>.</param>
public sealed record SmtpTlsSession(string Version, string Cipher, string Verified);
