namespace MoxApi.Mail.Dkim;

/// <summary>A private key for DKIM, parsed once and safe for concurrent use.</summary>
public abstract class DkimKey : IDisposable
{
    /// <summary>What the key signs with.</summary>
    public abstract DkimAlgorithm Algorithm { get; }

    /// <summary>The value of the TXT record at <c>selector._domainkey.domain</c> (RFC 6376 §3.6.1, RFC 8463 §4).</summary>
    public string DnsRecord => $"v=DKIM1; k={KeyType}; p={Convert.ToBase64String(PublicKey)}";

    /// <summary>The value of <c>a=</c> (RFC 6376 §3.5).</summary>
    internal string AlgorithmName => $"{KeyType}-sha256";

    /// <summary>The public key as the tag <c>p=</c> has it.</summary>
    internal abstract byte[] PublicKey { get; }

    private string KeyType => Algorithm == DkimAlgorithm.RsaSha256 ? "rsa" : "ed25519";

    /// <summary>Makes a new key, of 2048 bits where it is RSA (RFC 8301 §3.2).</summary>
    public static DkimKey Generate(DkimAlgorithm algorithm) =>
        algorithm == DkimAlgorithm.RsaSha256 ? DkimRsaKey.Generate() : DkimEd25519Key.Generate();

    /// <summary>Reads what <see cref="Export"/> wrote.</summary>
    /// <exception cref="System.Security.Cryptography.CryptographicException">The bytes are no key of this algorithm.</exception>
    public static DkimKey Import(DkimAlgorithm algorithm, ReadOnlySpan<byte> privateKey) =>
        algorithm == DkimAlgorithm.RsaSha256 ? DkimRsaKey.Import(privateKey) : DkimEd25519Key.Import(privateKey);

    /// <summary>
    /// The private key in the clear, to be sealed by whoever stores it: PKCS#8 in DER for RSA (RFC 5958), the 32 octets of the seed for
    /// Ed25519 (RFC 8032 §5.1.5).
    /// </summary>
    public abstract byte[] Export();

    /// <inheritdoc/>
    public void Dispose()
    {
        Dispose(true);
        GC.SuppressFinalize(this);
    }

    /// <summary>Signs a SHA-256 digest.</summary>
    internal abstract byte[] SignHash(ReadOnlySpan<byte> hash);

    /// <summary>Lets go of the key's memory.</summary>
    protected abstract void Dispose(bool disposing);
}
