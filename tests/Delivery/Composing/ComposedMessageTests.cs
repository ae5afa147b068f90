using System.Text;
using System.Text.Json;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dkim;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.Composing.Drafts;

namespace MoxApi.Tests.Delivery.Composing;

public class ComposedMessageTests
{
    [Fact]
    public async Task Signatures_of_all_keys_come_first_and_verify_with_mailauth()
    {
        using var rsa = DkimKey.Generate(DkimAlgorithm.RsaSha256);
        using var ed25519 = DkimKey.Generate(DkimAlgorithm.Ed25519Sha256);
        var domain = MailDomain.Parse("acme.example");
        var now = TimeProvider.System.GetUtcNow();
        var (composed, body) = await ComposeAsync(Simple with
        {
            To = [new Mailbox("Jane Döe", MailAddress.Parse("jane@example.org"))],
            Subject = "Your receipt ☺ and a subject that is long enough to be folded over more than one line of the header",
            Text = "Hello \t\r\rworld \n\n\n",
            Html = $"<p>{new string('é', 2000)}</p>",
            Attachments = [File("réceipt.pdf", "application/pdf", new byte[100_000]), File("logo.png", "image/png", [1, 2, 3], "logo")],
            Headers = [new MessageHeader("List-Unsubscribe", "<https://acme.example/u/1>"), new MessageHeader("X-Order", "42")],
        });
        var signed = composed.Sign([new DkimSigner(domain, "r1", rsa), new DkimSigner(domain, "e_1", ed25519)], now, now.AddDays(7));
        Assert.StartsWith("DKIM-Signature: v=1; a=rsa-sha256", Encoding.UTF8.GetString(signed.Header), StringComparison.Ordinal);
        Assert.EndsWith(Encoding.UTF8.GetString(composed.Header), Encoding.UTF8.GetString(signed.Header), StringComparison.Ordinal);
        Assert.Equal(signed.Header.Length + body.Length, signed.Size);
        Assert.Equal(["r1 rsa-sha256 pass", "e_1 ed25519-sha256 pass"], await MailauthAsync([.. signed.Header, .. body]));
        Assert.All(await MailauthAsync([.. signed.Header, .. body, .. "more\r\n"u8]), each => Assert.EndsWith("neutral", each, StringComparison.Ordinal));

        async Task<IEnumerable<string>> MailauthAsync(byte[] message)
        {
            var records = new Dictionary<string, string> { ["r1._domainkey.acme.example"] = rsa.DnsRecord, ["e_1._domainkey.acme.example"] = ed25519.DnsRecord };
            var answer = await NpmPeer.RunAsync(
                "verify-dkim.js", JsonSerializer.Serialize(new { message = Convert.ToBase64String(message), records }), TestContext.Current.CancellationToken);
            return JsonDocument.Parse(answer).RootElement.EnumerateArray()
                .Select(each => $"{each.GetProperty("selector")} {each.GetProperty("algorithm")} {each.GetProperty("result")}").ToList();
        }
    }
}
