using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

public class PostfixTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_message_arrives_in_a_mailbox_of_Postfix_with_its_body_as_it_left_and_both_signatures_in_order()
    {
        Assert.SkipUnless(Postfix.Missing is null, $"{Postfix.Missing}");
        var stop = TestContext.Current.CancellationToken;
        await using var postfix = await Postfix.StartAsync("example.net", "mx.example.net");
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Dns.Mx("example.net", 10, "mx.example.net").Address("mx.example.net", "192.0.2.10");
        await using var node = await installation.StartNodeAsync("one", ("ConnectMap__0", $"192.0.2.10:25={postfix.EndPoint}"));
        using var api = node.Client(installation.ApiKey);

        using var accepted = await api.PostAsJsonAsync("/v1/messages", new
        {
            from = "Acme, Inc. <receipts@acme.example>",
            to = new[] { "Jane Döe <jane@example.net>" },
            subject = "Your receipt ☺",
            text = "Dear Jane,\n\n.\n.. a line of dots, and one of 2000 octets:\n" + new string('x', 2000) + "\n",
            html = "<p>Dear Jane</p>",
            attachments = new[] { new { filename = "réceipt.bin", contentType = "application/octet-stream", content = Convert.ToBase64String((byte[])[.. Enumerable.Range(0, 20_000).Select(n => (byte)(n * 7))]) } },
        }, stop);
        Assert.Equal(System.Net.HttpStatusCode.Accepted, accepted.StatusCode);
        var location = accepted.Headers.Location!;

        var stored = await postfix.ReceiveAsync(stop);
        var sent = await api.GetByteArrayAsync(location + "/raw", stop);
        Assert.Equal(BodyOf(sent), BodyOf(stored));
        // Postfix says so itself: the session was encrypted although nobody vouches for its certificate.
        Assert.Contains("using TLSv1.3", Encoding.Latin1.GetString(stored), StringComparison.Ordinal);
        Assert.Equal(["ed25519-sha256 pass acme.example", "rsa-sha256 pass acme.example"], await VerdictsAsync(installation, stored));

        var recipient = await DeliveredAsync(api, location, stop);
        Assert.Equal(250, recipient.GetProperty("lastAttempt").GetProperty("smtpCode").GetInt32());
        Assert.Equal("192.0.2.10", recipient.GetProperty("lastAttempt").GetProperty("remoteAddress").GetString());
        await installation.AssertBooksBalanceAsync();
    }

    // The octets after the header, as text so that a difference can be read.
    private static string BodyOf(byte[] message)
    {
        var text = Encoding.Latin1.GetString(message);
        return text[text.IndexOf("\r\n\r\n", StringComparison.Ordinal)..];
    }

    private static async Task<IEnumerable<string>> VerdictsAsync(Installation installation, byte[] message)
    {
        await using var context = installation.Open();
        var domain = await context.Domains.Include(each => each.DkimKeys).SingleAsync();
        var records = domain.DkimKeys.ToDictionary(key => $"{key.Selector}._domainkey.{domain.Name}", key => key.TxtRecord);
        var input = JsonSerializer.Serialize(new { message = Convert.ToBase64String(message), records });
        using var answer = JsonDocument.Parse(await NpmPeer.RunAsync("verify-dkim.js", input, TestContext.Current.CancellationToken));
        return [.. answer.RootElement.EnumerateArray()
            .Select(each => $"{each.GetProperty("algorithm")} {each.GetProperty("result")} {each.GetProperty("aligned")}")
            .Order(StringComparer.Ordinal)];
    }

    // Postfix hands over after its 250: our outcome may be committed a moment after the message is in the mailbox.
    private static async Task<JsonElement> DeliveredAsync(HttpClient api, Uri location, CancellationToken stop)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(stop);
        patience.CancelAfter(TimeSpan.FromMinutes(1));
        while (true)
        {
            var message = await api.GetFromJsonAsync<JsonElement>(location, patience.Token);
            var recipient = message.GetProperty("recipients")[0];
            if (recipient.GetProperty("status").GetString() == "delivered") return recipient;
            await Task.Delay(TimeSpan.FromMilliseconds(50), TimeProvider.System, patience.Token);
        }
    }
}
