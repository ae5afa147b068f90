using System.Security.Cryptography;
using MoxApi.Mail.Dkim;
using Xunit;

namespace MoxApi.Tests.Mail.Dkim;

public class DkimKeyTests
{
    [Theory]
    [InlineData(DkimAlgorithm.RsaSha256)]
    [InlineData(DkimAlgorithm.Ed25519Sha256)]
    public void A_key_survives_export_and_import(DkimAlgorithm algorithm)
    {
        using var key = DkimKey.Generate(algorithm);
        using var again = DkimKey.Import(algorithm, key.Export());
        Assert.Equal(key.DnsRecord, again.DnsRecord);
        Assert.Equal(key.SignHash(new byte[32]), again.SignHash(new byte[32]));
        using var other = DkimKey.Generate(algorithm);
        Assert.NotEqual(key.DnsRecord, other.DnsRecord);
    }

    [Fact]
    public void The_record_of_an_ed25519_key_is_that_of_the_standard()
    {
        // RFC 8463, appendix A.1 and A.2.
        using var key = DkimKey.Import(DkimAlgorithm.Ed25519Sha256, Convert.FromBase64String("nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A="));
        Assert.Equal("v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=", key.DnsRecord);
    }

    [Fact]
    public void The_record_of_an_rsa_key_has_a_public_key_of_2048_bits()
    {
        using var key = DkimKey.Generate(DkimAlgorithm.RsaSha256);
        Assert.StartsWith("v=DKIM1; k=rsa; p=", key.DnsRecord, StringComparison.Ordinal);
        using var rsa = RSA.Create();
        rsa.ImportSubjectPublicKeyInfo(Convert.FromBase64String(key.DnsRecord["v=DKIM1; k=rsa; p=".Length..]), out _);
        Assert.Equal(2048, rsa.KeySize);
    }

    [Theory]
    [InlineData(DkimAlgorithm.RsaSha256)]
    [InlineData(DkimAlgorithm.Ed25519Sha256)]
    public void Bytes_that_are_no_key_are_refused(DkimAlgorithm algorithm)
    {
        using var key = DkimKey.Generate(algorithm);
        var exported = key.Export();
        foreach (var bad in (byte[][])[[], [1, 2, 3], exported[..^1], [.. exported, 0], new byte[1000]])
            Assert.ThrowsAny<CryptographicException>(() => DkimKey.Import(algorithm, bad));
    }

    [Fact]
    public void An_rsa_key_that_verifiers_refuse_is_refused()
    {
        using var rsa = RSA.Create(512);
        Assert.ThrowsAny<CryptographicException>(() => DkimKey.Import(DkimAlgorithm.RsaSha256, rsa.ExportPkcs8PrivateKey()));
    }
}
