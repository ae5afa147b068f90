using System.Security.Cryptography;
using NSec.Cryptography;

namespace MoxApi.Mail.Dkim;

/// <summary>An Ed25519 key. NSec's keys are immutable, so safe for concurrent use.</summary>
internal sealed class DkimEd25519Key : DkimKey
{
    private static KeyCreationParameters Exportable => new() { ExportPolicy = KeyExportPolicies.AllowPlaintextExport };

    private readonly Key key;

    private DkimEd25519Key(Key key)
    {
        this.key = key;
        PublicKey = key.PublicKey.Export(KeyBlobFormat.RawPublicKey);
    }

    public override DkimAlgorithm Algorithm => DkimAlgorithm.Ed25519Sha256;

    internal override byte[] PublicKey { get; }

    public static DkimEd25519Key Generate() => new(Key.Create(SignatureAlgorithm.Ed25519, Exportable));

    public static DkimEd25519Key Import(ReadOnlySpan<byte> seed) =>
        Key.TryImport(SignatureAlgorithm.Ed25519, seed, KeyBlobFormat.RawPrivateKey, out var key, Exportable)
            ? new DkimEd25519Key(key!)
            : throw new CryptographicException("Not the 32 octets of an Ed25519 seed.");

    public override byte[] Export() => key.Export(KeyBlobFormat.RawPrivateKey);

    // RFC 8463 §3: what Ed25519 signs is the SHA-256 digest.
    internal override byte[] SignHash(ReadOnlySpan<byte> hash) => SignatureAlgorithm.Ed25519.Sign(key, hash);

    protected override void Dispose(bool disposing) => key.Dispose();
}
