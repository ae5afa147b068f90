using System.Text.RegularExpressions;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>Connections, transactions and what is stored of them.</summary>
public class ConversationTests(TestPostgres postgres)
{
    [Theory, InlineData(false), InlineData(true)]
    public async Task The_stored_conversation_is_the_servers_own(bool tls)
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        var (first, second) = (bed.AddHost("a.example.org"), bed.AddHost("b.example.org"));
        first.Always("ehlo", "421-4.3.2 Not\n421 4.3.2 now");
        second.On("rcpt", "550-5.1.1 There is\n550-5.1.1 no such\n550 5.1.1 user");
        if (tls) second.Certificate = TestAuthority.SelfSigned("b.example.org");

        var sent = await bed.SendTogetherAsync("jane@example.org", "sam@example.org");
        await bed.UntilAsync(sent, r => r.Attempts == 1);

        var said = first.Transcript.Concat(second.Transcript).Where(l => l.StartsWith("S: ", StringComparison.Ordinal)).Select(l => l[3..]).Where(l => !l.StartsWith("221", StringComparison.Ordinal));
        var attempt = (await bed.AttemptsAsync(sent.Recipients[1].Id)).Single();
        Assert.Equal(said, Steps(attempt).Where(s => s.Step is not ("mx" or "tls")).Select(AsSaid));
        Assert.Equal(["jane@example.org", "sam@example.org"], Steps(attempt).Where(s => s.Step == "rcpt").Select(s => s.Address));
        Assert.Equal(tls, Steps(attempt).Any(s => s.Step == "tls"));
    }

    [Fact]
    public async Task Many_messages_to_a_domain_use_few_connections()
    {
        await using var bed = await MakeAsync(postgres, options: new() { IdleConnection = TimeSpan.FromSeconds(60), MaxConnectionsPerDestination = 3 });
        var server = bed.AddDomain("example.org");

        var sent = new List<MoxApi.Delivery.Submitting.SubmissionReceipt>();
        for (var i = 0; i < 30; i++) sent.Add(await bed.SendAsync("jane@example.org"));
        foreach (var message in sent) await bed.UntilAsync(message, RecipientStatus.Delivered);

        Assert.Equal(30, server.Messages.Count);
        Assert.InRange(server.Sessions.Count, 1, bed.Options.MaxConnectionsPerDestination);
        var reused = 0;
        foreach (var message in sent)
        {
            var first = Steps((await bed.AttemptsAsync(message)).Single())[0];
            Assert.Contains(first.Step, new[] { "mx", "reuse" });
            if (first.Step == "reuse") reused++;
        }
        Assert.Equal(30 - server.Sessions.Count, reused);
    }

    [Fact]
    public async Task Recipients_that_share_the_return_path_share_the_transaction()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");

        await bed.UntilAsync(await bed.SendTogetherAsync("jane@example.org", "sam@example.org", "kim@example.org"), RecipientStatus.Delivered);

        Assert.Equal(3, server.Messages.Single().Rcpts.Count);
        Assert.StartsWith("MAIL FROM:<receipts@acme.example>", server.Messages.Single().Mail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_unique_return_paths_each_recipient_has_a_transaction_and_an_address_of_its_own()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");

        var sent = await bed.SendAsync("jane@example.org", "sam@example.org", "kim@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Equal(3, server.Messages.Count);
        foreach (var message in server.Messages)
        {
            var path = Regex.Match(message.Mail, "^MAIL FROM:<([a-z2-7]{26})@bounces\\.acme\\.example>").Groups[1].Value;
            Assert.True(bed.Node.Ids.TryRead(PublicIdKind.ReturnPath, path, out var id), message.Mail);
            Assert.Equal($"RCPT TO:<{sent.Recipients.Single(r => r.Id == id).Address}>", message.Rcpts.Single());
        }
    }

    [Fact]
    public async Task A_connection_that_the_server_closed_meanwhile_costs_nothing()
    {
        await using var bed = await MakeAsync(postgres, options: new() { IdleConnection = TimeSpan.FromSeconds(30), MaxConnectionsPerDestination = 1 });
        var server = bed.AddDomain("example.org");
        server.On("mail", "250 2.1.0 Ok", Act.Disconnect);

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);
        var second = await bed.SendAsync("sam@example.org");
        await bed.UntilAsync(second, RecipientStatus.Delivered);

        Assert.Equal(2, server.Sessions.Count);
        Assert.Equal(["reuse", "mail", "mx", "connect"], Steps((await bed.AttemptsAsync(second)).Single()).Take(4).Select(s => s.Step));
    }

    [Fact]
    public async Task Large_bodies_arrive_octet_by_octet_as_they_are_stored()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        server.Extensions = ["PIPELINING", "SIZE 0"];
        var random = new Random(7);

        foreach (var size in new[] { 100, 8_000, 300_000, 1_500_000 })
        {
            var octets = new byte[size];
            random.NextBytes(octets);
            var text = string.Join("\n", Enumerable.Repeat(".a line that begins with a dot", 20));
            var sent = await bed.SendAsync(
                new MessageDraft { From = null!, Text = text, Attachments = [new MessageFile("a.bin", "application/octet-stream", () => new MemoryStream(octets))] }, ["jane@example.org"]);
            await bed.UntilAsync(sent, RecipientStatus.Delivered);

            Assert.Equal(await StoredAsync(bed, sent.MessageId), server.Messages[^1].Content);
        }
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM body WHERE \"inline\" IS NOT NULL"));
    }

    [Fact]
    public async Task A_message_that_cannot_be_read_is_delayed_and_holds_up_no_other()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var octets = new byte[20_000];
        var broken = await bed.SendAsync(
            new MessageDraft { From = null!, Text = "Hello", Attachments = [new MessageFile("a.bin", "application/octet-stream", () => new MemoryStream(octets))] }, ["jane@example.org"]);
        var whole = await bed.SendAsync("sam@example.org");
        await bed.ExecuteAsync("DELETE FROM body_chunk");

        bed.Node.Deliver();
        await bed.UntilAsync(whole, RecipientStatus.Delivered);
        await bed.UntilAsync(broken, RecipientStatus.Delayed);

        Assert.Single(server.Messages);
        Assert.Equal("4.3.0", (await bed.AttemptsAsync(broken)).Single().EnhancedCode);
    }

    private static async Task<byte[]> StoredAsync(DeliveryBed bed, long id)
    {
        await using var context = bed.Open();
        var message = context.Messages.Single(m => m.Id == id);
        var body = context.Bodies.Single(b => b.Id == message.BodyId);
        var chunks = context.BodyChunks.Where(c => c.BodyId == body.Id).OrderBy(c => c.Number).ToList();
        return [.. message.Header, .. body.Inline ?? [], .. chunks.SelectMany(c => c.Bytes)];
    }

    private static string AsSaid(SmtpStep step)
    {
        // Codes are told once: here they are put before each line again, as the server had them.
        var lines = step.Reply.Split('\n');
        var enhanced = Regex.Match(lines[0], @"^[245]\.\d+\.\d+ ").Value;
        return string.Join('\n', lines.Select((line, i) => $"{step.Code}{(i < lines.Length - 1 ? '-' : ' ')}{(i > 0 ? enhanced : "")}{line}"));
    }
}
