using System.Collections.Concurrent;
using System.Security.Cryptography;

namespace MoxApi.Mail.Dkim;

/// <summary>An RSA key. The platform's RSA signs some ten times faster than managed code.</summary>
internal sealed class DkimRsaKey : DkimKey
{
    private readonly byte[] privateKey;

    // RSA instances are not promised to be safe for concurrent use: each signer takes one, and puts it back.
    private readonly ConcurrentBag<RSA> idle = [];

    private DkimRsaKey(RSA rsa)
    {
        privateKey = rsa.ExportPkcs8PrivateKey();
        PublicKey = rsa.ExportSubjectPublicKeyInfo();
        idle.Add(rsa);
    }

    public override DkimAlgorithm Algorithm => DkimAlgorithm.RsaSha256;

    internal override byte[] PublicKey { get; }

    public static DkimRsaKey Generate() => new(RSA.Create(2048));

    public static DkimRsaKey Import(ReadOnlySpan<byte> pkcs8) => new(Parse(pkcs8));

    public override byte[] Export() => [.. privateKey];

    internal override byte[] SignHash(ReadOnlySpan<byte> hash)
    {
        if (!idle.TryTake(out var rsa)) rsa = Parse(privateKey);
        var signature = rsa.SignHash(hash, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        idle.Add(rsa);
        return signature;
    }

    protected override void Dispose(bool disposing)
    {
        CryptographicOperations.ZeroMemory(privateKey);
        while (idle.TryTake(out var rsa)) rsa.Dispose();
    }

    private static RSA Parse(ReadOnlySpan<byte> pkcs8)
    {
        var rsa = RSA.Create();
        try
        {
            rsa.ImportPkcs8PrivateKey(pkcs8, out var read);
            // RFC 8301 §3.2: verifiers refuse less than 1024 bits; more than 4096 they need not take.
            if (read != pkcs8.Length || rsa.KeySize is < 1024 or > 4096) throw new CryptographicException("Not an RSA key of 1024 to 4096 bits.");
            return rsa;
        }
        catch
        {
            rsa.Dispose();
            throw;
        }
    }
}
