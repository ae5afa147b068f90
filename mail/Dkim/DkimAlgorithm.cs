namespace MoxApi.Mail.Dkim;

/// <summary>A signing algorithm of DKIM.</summary>
public enum DkimAlgorithm
{
    /// <summary><c>rsa-sha256</c> (RFC 6376 §3.3.1), with keys of 2048 bits.</summary>
    RsaSha256,

    /// <summary><c>ed25519-sha256</c> (RFC 8463).</summary>
    Ed25519Sha256,
}
