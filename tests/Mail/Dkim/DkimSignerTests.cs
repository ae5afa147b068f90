using System.Text;
using MimeKit;
using MimeKit.Cryptography;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dkim;
using Org.BouncyCastle.Crypto;
using Xunit;
using DkimSigner = MoxApi.Mail.Dkim.DkimSigner;

namespace MoxApi.Tests.Mail.Dkim;

public class DkimSignerTests
{
    private static readonly DateTimeOffset At = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    private const string Header =
        "From: Acme <receipts@acme.example>\r\nTo: jane@example.org\r\nSubject: Your\r\n  receipt \t here \r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n" +
        "Message-ID: <m42@acme.example>\r\nList-Unsubscribe: <https://acme.example/u>\r\nX-Free: to change\r\nMIME-Version: 1.0\r\nContent-Type: text/plain\r\n\r\n";

    private const string Body = "Hello \t there \r\n\r\n second  line\t\r\n\r\n\r\n";

    [Theory]
    [InlineData(DkimAlgorithm.RsaSha256)]
    [InlineData(DkimAlgorithm.Ed25519Sha256)]
    public async Task A_signature_verifies_independently(DkimAlgorithm algorithm)
    {
        using var key = DkimKey.Generate(algorithm);
        Assert.True(await VerifiesAsync(key, Sign(key, Header, Body), Header + Body));
    }

    private static string Sign(DkimKey key, string header, string body)
    {
        using var hash = new DkimBodyHash();
        hash.Append(Encoding.UTF8.GetBytes(body));
        var signer = new DkimSigner(MailDomain.Parse("acme.example"), "s1", key);
        return Encoding.ASCII.GetString(signer.Sign(Encoding.UTF8.GetBytes(header), hash.Complete(), At));
    }

    private static async Task<bool> VerifiesAsync(DkimKey key, string signature, string message)
    {
        var parsed = await MimeMessage.LoadAsync(new MemoryStream(Encoding.UTF8.GetBytes(signature + message)));
        return await new DkimVerifier(new Locator(key.DnsRecord)).VerifyAsync(parsed, parsed.Headers[0]);
    }

    private sealed class Locator(string record) : DkimPublicKeyLocatorBase
    {
        public override AsymmetricKeyParameter LocatePublicKey(string methods, string domain, string selector, CancellationToken cancellationToken = default)
        {
            Assert.Equal(("acme.example", "s1"), (domain, selector));
            return GetPublicKey(record);
        }

        public override Task<AsymmetricKeyParameter> LocatePublicKeyAsync(string methods, string domain, string selector, CancellationToken cancellationToken = default) =>
            Task.FromResult(LocatePublicKey(methods, domain, selector, cancellationToken));
    }
}
