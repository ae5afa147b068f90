using System.Text;
using CsCheck;
using MimeKit;
using MimeKit.Cryptography;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dkim;
using Org.BouncyCastle.Crypto;
using Xunit;
using DkimSigner = MoxApi.Mail.Dkim.DkimSigner;

namespace MoxApi.Tests.Mail.Dkim;

public sealed class DkimSignerTests : IDisposable
{
    private const string Header =
        "From: Acme <receipts@acme.example>\r\nTo: jane@example.org\r\nSubject: Your\r\n  receipt \t here \r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n" +
        "Message-ID: <m42@acme.example>\r\nX-Free: to change\r\nMIME-Version: 1.0\r\nContent-Type : text/plain\r\n\r\n";

    private const string Body = "Hello \t there \r\n\r\n second  line\t\r\n\r\n\r\n";

    private static readonly DateTimeOffset At = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    private readonly DkimKey key = DkimKey.Generate(DkimAlgorithm.Ed25519Sha256);

    public void Dispose() => key.Dispose();

    [Theory]
    [InlineData(DkimAlgorithm.RsaSha256)]
    [InlineData(DkimAlgorithm.Ed25519Sha256)]
    public async Task A_signature_verifies_with_another_implementation(DkimAlgorithm algorithm)
    {
        using var other = DkimKey.Generate(algorithm);
        Assert.True(await VerifiesAsync(other, Sign(other, Header, Body) + Header + Body));
    }

    [Fact]
    public void The_field_says_who_signed_how_and_when()
    {
        var signer = new DkimSigner(MailDomain.Parse("exämple.org"), "2026_a.m", key);
        var field = Encoding.ASCII.GetString(signer.Sign(Encoding.UTF8.GetBytes(Header), new byte[32], At, At.AddDays(7)));
        Assert.StartsWith(
            "DKIM-Signature: v=1; a=ed25519-sha256; c=relaxed/relaxed;\r\n\td=xn--exmple-cua.org;\r\n\ts=2026_a.m; t=1795341600; x=1795946400;\r\n\th=From:From:",
            field, StringComparison.Ordinal);
        Assert.EndsWith("\r\n", field, StringComparison.Ordinal);
        Assert.All(field.Split("\r\n"), line => Assert.InRange(line.Length, 0, 78));
        Assert.DoesNotContain("X-Free", field, StringComparison.Ordinal);
    }

    [Fact]
    public void A_signature_that_ends_before_it_begins_is_refused() =>
        Assert.Throws<ArgumentException>(() => new DkimSigner(MailDomain.Parse("acme.example"), "s1", key).Sign("From: a@b\r\n"u8, new byte[32], At, At));

    [Theory]
    [InlineData("From: Acme <receipts@acme.example>", "From: Evil <receipts@acme.example>")]
    [InlineData("To: jane@example.org", "To: june@example.org")]
    [InlineData("Subject: Your", "Subject: My")]
    [InlineData("10:00:00 +0000", "10:00:01 +0000")]
    [InlineData("<m42@", "<m43@")]
    [InlineData("text/plain", "text/html")]
    [InlineData("Hello", "Hallo")]
    [InlineData("second  line", "second line\r\nand a third")]
    public async Task A_changed_field_or_body_no_longer_verifies(string from, string to)
    {
        var message = Sign(key, Header, Body) + (Header + Body).Replace(from, to, StringComparison.Ordinal);
        Assert.Contains(to, message, StringComparison.Ordinal);
        Assert.False(await VerifiesAsync(key, message));
    }

    [Theory]
    [InlineData("From: Evil <evil@evil.example>")]
    [InlineData("To: june@example.org")]
    [InlineData("Cc: june@example.org")]
    [InlineData("Reply-To: evil@evil.example")]
    [InlineData("Subject: Evil")]
    [InlineData("Date: Mon, 23 Nov 2026 10:00:00 +0000")]
    [InlineData("Message-ID: <evil@evil.example>")]
    [InlineData("In-Reply-To: <evil@evil.example>")]
    [InlineData("References: <evil@evil.example>")]
    [InlineData("MIME-Version: 1.0")]
    [InlineData("Content-Type: text/html")]
    [InlineData("Content-Transfer-Encoding: base64")]
    public async Task A_sealed_field_cannot_be_added_whether_the_message_has_one_or_not(string added)
    {
        var signature = Sign(key, Header, Body);
        Assert.False(await VerifiesAsync(key, $"{signature}{added}\r\n{Header}{Body}"));
        Assert.False(await VerifiesAsync(key, signature + Header[..^2] + $"{added}\r\n\r\n{Body}"));
    }

    [Fact]
    public async Task What_is_not_sealed_may_change_and_what_relaxed_allows_too()
    {
        var signature = Sign(key, Header, Body);
        var changed = Header.Replace("to change", "changed", StringComparison.Ordinal)
            .Replace("Your\r\n  receipt \t here ", "Your receipt here", StringComparison.Ordinal).Replace("To: ", "TO:   ", StringComparison.Ordinal);
        Assert.NotEqual(Header, changed);
        Assert.True(await VerifiesAsync(key, $"{signature}Received: by relay.example\r\nList-Id: <list.example>\r\n{changed}{Body.TrimEnd()}\r\n"));
    }

    [Fact]
    public async Task List_fields_are_sealed_where_there_are_some()
    {
        const string list = "List-Unsubscribe: <https://acme.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n";
        var signature = Sign(key, list + Header, Body);
        Assert.True(await VerifiesAsync(key, signature + list + Header + Body));
        Assert.False(await VerifiesAsync(key, signature + list.Replace("/u", "/v", StringComparison.Ordinal) + Header + Body));
        Assert.False(await VerifiesAsync(key, $"{signature}List-Unsubscribe: <https://evil.example>\r\n{list}{Header}{Body}"));
        Assert.False(await VerifiesAsync(key, signature + Header + Body));
    }

    [Fact]
    public async Task Fields_of_the_same_name_are_taken_from_the_bottom()
    {
        const string header = "List-Post: <mailto:1@acme.example>\r\nFrom: a@acme.example\r\nList-Post: <mailto:2@acme.example>\r\nlist-post: <mailto:3@acme.example>\r\n\r\n";
        Assert.True(await VerifiesAsync(key, Sign(key, header, Body) + header + Body));
    }

    [Fact]
    public Task Any_body_verifies_with_another_implementation() =>
        Gen.OneOf(" ", "\t", "\r\n", "x", "yz", ".", "é").Array[0, 40].Select(string.Concat).ForEachAsync(
            200, async body => Assert.True(await VerifiesAsync(key, Sign(key, Header, body + "end\r\n") + Header + body + "end\r\n")));

    [Fact]
    public Task Any_folding_of_a_field_verifies_with_another_implementation() =>
        Gen.OneOf(" ", "\t", "\r\n ", "\r\n\t", "x", "yz", ":", "é").Array[0, 20].Select(string.Concat).ForEachAsync(
            200,
            async value =>
            {
                var header = $"Subject:a{value}b\r\n{Header.Replace("Subject", "X-Subject", StringComparison.Ordinal)}";
                Assert.True(await VerifiesAsync(key, Sign(key, header, Body) + header + Body));
            });

    [Fact]
    public async Task A_key_signs_for_many_at_once()
    {
        using var rsa = DkimKey.Generate(DkimAlgorithm.RsaSha256);
        var signatures = await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() => (n, Sign(rsa, Header, $"{n}\r\n")))));
        foreach (var (n, signature) in signatures) Assert.True(await VerifiesAsync(rsa, $"{signature}{Header}{n}\r\n"));
    }

    private static string Sign(DkimKey key, string header, string body)
    {
        using var hash = new DkimBodyHash();
        hash.Append(Encoding.UTF8.GetBytes(body));
        var signer = new DkimSigner(MailDomain.Parse("acme.example"), "s1", key);
        return Encoding.ASCII.GetString(signer.Sign(Encoding.UTF8.GetBytes(header), hash.Complete(), At));
    }

    private static async Task<bool> VerifiesAsync(DkimKey key, string message)
    {
        var parsed = await MimeMessage.LoadAsync(new MemoryStream(Encoding.UTF8.GetBytes(message)));
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
