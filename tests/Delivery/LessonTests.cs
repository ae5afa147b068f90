using System.Text;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>What other servers paid for.</summary>
public class LessonTests(TestPostgres postgres)
{
    [Fact]
    public async Task An_attempt_without_an_answer_to_the_final_dot_says_that_the_message_may_have_been_delivered()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org").On("rcpt", "250 2.1.5 Ok", "450 4.2.0 Later").On("body", Act.Disconnect);

        var sent = await bed.SendTogetherAsync("jane@example.org", "sam@example.org");
        var recipients = await bed.UntilAsync(sent, RecipientStatus.Delayed);

        Assert.Single(server.Messages);
        var (unsure, sure) = ((await bed.AttemptsAsync(recipients[0].Id)).Single(), (await bed.AttemptsAsync(recipients[1].Id)).Single());
        Assert.Equal(FailureClass.Network, unsure.FailureClass);
        Assert.Equal("The server closed the connection. Whether the message was delivered is not known.", unsure.Reply);
        Assert.Equal("4.2.0 Later", sure.Reply);
    }

    [Fact]
    public async Task Lone_CR_and_LF_in_a_text_leave_as_CRLF()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        var text = new StringBuilder("one\rtwo\nthree\r\nfour\r\r\nfive");
        for (var i = 0; i < 3000; i++) text.Append(i % 2 == 0 ? "word\r" : "word\n");

        await bed.UntilAsync(await bed.SendAsync(new MessageDraft { From = null!, Text = text.ToString() }, ["jane@example.org"]), RecipientStatus.Delivered);

        var content = server.Messages.Single().Text;
        Assert.Contains("\r\none\r\ntwo\r\nthree\r\nfour\r\n\r\nfive", content, StringComparison.Ordinal);
        Assert.DoesNotContain('\r', content.Replace("\r\n", "", StringComparison.Ordinal));
        Assert.DoesNotContain('\n', content.Replace("\r\n", "", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_remote_SIZE_of_0_means_no_limit()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Extensions = ["SIZE 0", "PIPELINING"];

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);
    }

    [Fact]
    public async Task Underscores_in_MX_names_and_selectors_work()
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "mx_1.example.org");
        var server = bed.AddHost("mx_1.example.org");
        await using (var context = bed.Open())
        {
            var secrets = bed.Node.Get<MoxApi.Migrations.Secrets.SecretBox>();
            foreach (var key in context.DkimKeys)
            {
                var octets = secrets.Open(key.SealedPrivateKey, DkimKey.SealContext("acme.example", key.Selector));
                key.Selector = $"s_{key.Algorithm}";
                key.SealedPrivateKey = secrets.Seal(octets, DkimKey.SealContext("acme.example", key.Selector));
            }
            await context.SaveChangesAsync(Stop);
        }

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);

        Assert.Contains("s=s_rsa;", Unfolded(server), StringComparison.Ordinal);
        Assert.Contains("s=s_ed25519;", Unfolded(server), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_DKIM_domain_is_that_of_From()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        await using (var context = bed.Open())
        {
            var account = context.Accounts.Single().Id;
            context.Add(bed.Node.Get<MoxApi.Delivery.Domains.DomainSetup>().Create(account, MailDomain.Parse("brand.example")));
            await context.SaveChangesAsync(Stop);
        }
        var draft = new MessageDraft { From = null!, Text = "Hello", ReplyTo = [new Mailbox(MailAddress.Parse("help@acme.example"))] };

        await bed.UntilAsync(await bed.SendAsync(draft, ["jane@example.org"], from: "news@brand.example"), RecipientStatus.Delivered);

        Assert.Equal(2, Unfolded(server).Split("d=brand.example;").Length - 1);
        Assert.DoesNotContain("d=acme.example;", Unfolded(server), StringComparison.Ordinal);
        Assert.EndsWith("@bounces.brand.example>", server.Messages.Single().Mail.Split(" SIZE")[0], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Quoted_local_parts_work()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");

        await bed.UntilAsync(await bed.SendAsync(new MessageDraft { From = null!, Text = "Hello" }, ["\"jane doe\"@example.org"],
            ReturnPathMode.Sender, from: "\"the shop\"@acme.example"), RecipientStatus.Delivered);

        Assert.Equal("RCPT TO:<\"jane doe\"@example.org>", server.Messages.Single().Rcpts.Single());
        Assert.StartsWith("MAIL FROM:<\"the shop\"@acme.example>", server.Messages.Single().Mail, StringComparison.Ordinal);
    }

    [Theory, InlineData("452 4.5.3 Too many recipients"), InlineData("552 5.5.3 Too many recipients")]
    public async Task A_452_or_552_on_a_later_recipient_starts_a_further_transaction_and_fails_nobody(string tooMany)
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        var left = 0;
        server.On("mail", _ =>
        {
            left = 2;
            return null;
        });
        server.On("rcpt", _ => left-- > 0 ? null : (Act)tooMany);

        var sent = await bed.SendTogetherAsync([.. Enumerable.Range(0, 5).Select(n => $"jane{n}@example.org")]);
        var recipients = await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.All(recipients, r => Assert.Equal(1, r.Attempts));
        Assert.Equal([2, 2, 1], server.Messages.Select(m => m.Rcpts.Count));
        Assert.Single(server.Sessions);
    }

    [Theory, InlineData("mail"), InlineData("rcpt"), InlineData("data"), InlineData("body")]
    public async Task A_policy_refusal_from_a_dual_stack_host_is_tried_once_over_the_other_address_family(string step)
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "mx.example.org");
        var (ipv6, ipv4) = (bed.AddHost("mx.example.org", ipv6: true), bed.AddHost("mx.example.org"));
        ipv6.Always(step, "550 5.7.1 Not from your address");
        ipv4.Always(step, "550 5.7.1 Not from your address either");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        var attempts = await bed.AttemptsAsync(sent);
        Assert.Equal([AttemptOutcome.Delayed, AttemptOutcome.Failed], attempts.Select(a => a.Outcome));
        Assert.Equal(2, attempts.Select(a => a.RemoteAddress!.Contains(':')).Distinct().Count());
        Assert.Single(ipv6.Sessions);
        Assert.Single(ipv4.Sessions);
    }

    [Fact]
    public async Task What_the_other_address_family_takes_is_delivered()
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "mx.example.org");
        var servers = new[] { bed.AddHost("mx.example.org", ipv6: true), bed.AddHost("mx.example.org") };
        servers[0].Always("rcpt", "550 5.7.25 No reverse DNS");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Single(servers[1].Messages);
    }

    [Theory, InlineData("550 5.1.1 No such user", true), InlineData("550 5.7.1 No", false)]
    public async Task Other_refusals_and_single_stack_hosts_fail_at_once(string reply, bool dual)
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        if (dual) bed.AddAddress("mx.example.org", server, ipv6: true);
        server.Always("rcpt", reply);

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        Assert.Single(await bed.AttemptsAsync(sent));
    }

    [Fact]
    public async Task SMTPUTF8_is_asked_for_where_a_Reply_To_needs_it_and_nowhere_else()
    {
        await using var bed = await MakeAsync(postgres);
        var (with, without) = (bed.AddDomain("example.org"), bed.AddDomain("example.net"));
        without.Extensions = ["PIPELINING", "ENHANCEDSTATUSCODES"];
        var plain = new MessageDraft { From = null!, Text = "Grüße", Subject = "Grüße ☺", ReplyTo = [new Mailbox("Döe", MailAddress.Parse("help@bücher.example"))] };
        var utf8 = plain with { ReplyTo = [new Mailbox(MailAddress.Parse("hälp@acme.example"))] };

        await bed.UntilAsync(await bed.SendAsync(plain, ["jane@example.org"]), RecipientStatus.Delivered);
        await bed.UntilAsync(await bed.SendAsync(plain, ["jane@example.net"]), RecipientStatus.Delivered);
        await bed.UntilAsync(await bed.SendAsync(utf8, ["jane@example.org"]), RecipientStatus.Delivered);
        var refused = await bed.SendAsync(utf8, ["jane@example.net"]);
        await bed.UntilAsync(refused, RecipientStatus.Failed);

        Assert.Equal([false, true], with.Messages.Select(m => m.Mail.EndsWith(" SMTPUTF8", StringComparison.Ordinal)));
        Assert.Equal("5.6.7", (await bed.AttemptsAsync(refused)).Single().EnhancedCode);
    }

    [Fact]
    public async Task Of_an_envelope_only_the_address_that_needs_SMTPUTF8_fails_without_it()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        server.Extensions = ["PIPELINING"];

        var sent = await bed.SendTogetherAsync("jane@example.org", "jäne@example.org");
        await bed.UntilAsync(sent, r => r.Status is RecipientStatus.Delivered or RecipientStatus.Failed);

        Assert.Equal([RecipientStatus.Delivered, RecipientStatus.Failed], (await bed.RecipientsAsync(sent)).Select(r => r.Status));
        Assert.DoesNotContain("SMTPUTF8", server.Messages.Single().Mail, StringComparison.Ordinal);
    }

    private static string Unfolded(ScriptedSmtpServer server) =>
        server.Messages.Single().Text.Replace("\r\n ", " ", StringComparison.Ordinal).Replace("\r\n\t", " ", StringComparison.Ordinal);
}
