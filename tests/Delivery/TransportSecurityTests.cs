using MoxApi.Delivery.Composing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

public sealed class TransportSecurityTests(TestPostgres postgres) : IDisposable
{
    private readonly TestAuthority authority = new();

    private SmtpClientOptions Trusting => new() { HostName = "mail.acme.example", TrustedRoots = authority.Roots };

    public void Dispose() => authority.Dispose();

    [Fact]
    public async Task Required_TLS_goes_to_a_verified_server_that_promises_the_same()
    {
        await using var bed = await MakeAsync(postgres, client: Trusting);
        var server = bed.AddDomain("example.org");
        server.Certificate = authority.Issue("mx.example.org");
        server.Extensions = [.. server.Extensions, "REQUIRETLS"];

        var sent = await SendAsync(bed);
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.EndsWith(" REQUIRETLS", server.Messages.Single().Mail, StringComparison.Ordinal);
        Assert.Equal("pkix", (await bed.AttemptsAsync(sent)).Single().TlsVerified);
    }

    [Theory, InlineData("no STARTTLS"), InlineData("no trust"), InlineData("another name"), InlineData("no REQUIRETLS")]
    public async Task Required_TLS_fails_where_the_server_does_not_give_it(string lack)
    {
        await using var bed = await MakeAsync(postgres, client: Trusting);
        var server = bed.AddDomain("example.org");
        server.Certificate = lack switch
        {
            "no STARTTLS" => null,
            "no trust" => TestAuthority.SelfSigned("mx.example.org"),
            "another name" => authority.Issue("mx.example.net"),
            _ => authority.Issue("mx.example.org"),
        };
        if (lack != "no REQUIRETLS") server.Extensions = [.. server.Extensions, "REQUIRETLS"];

        var sent = await SendAsync(bed);
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        Assert.Equal(("5.7.30", FailureClass.Tls), (await bed.AttemptsAsync(sent)).Select(a => (a.EnhancedCode, a.FailureClass)).Single());
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task Required_TLS_goes_to_the_next_host_where_the_first_does_not_promise_the_same()
    {
        await using var bed = await MakeAsync(postgres, client: Trusting);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        var (without, with) = (bed.AddHost("a.example.org"), bed.AddHost("b.example.org"));
        (without.Certificate, with.Certificate) = (authority.Issue("a.example.org"), authority.Issue("b.example.org"));
        with.Extensions = [.. with.Extensions, "REQUIRETLS"];

        var sent = await SendAsync(bed);
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.EndsWith(" REQUIRETLS", with.Messages.Single().Mail, StringComparison.Ordinal);
        Assert.Equal("b.example.org", (await bed.AttemptsAsync(sent)).Single().RemoteHost);
        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);
        Assert.Single(without.Messages);
    }

    [Fact]
    public async Task What_finds_no_TLS_and_a_refusal_does_not_end_the_ordinary_mail_of_its_destination()
    {
        await using var bed = await MakeAsync(postgres, client: Trusting, start: false);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        var inClear = bed.AddHost("a.example.org");
        bed.AddHost("b.example.org").Always("connect", "554 5.7.1 Not from you");
        // More than a worker takes at a time: all of them are one group, which fails before anything else is read.
        string[] many = [.. Enumerable.Range(0, 20).Select(n => $"jane{n}@example.org")];
        var required = await bed.SendAsync(new MessageDraft { From = null!, Text = "Hello" }, many, ReturnPathMode.Sender, RequireTls.Required);
        var ordinary = await bed.SendTogetherAsync([.. Enumerable.Range(0, 40).Select(n => $"sam{n}@example.org")]);

        bed.Node.Deliver();
        await bed.UntilAsync(required, RecipientStatus.Failed);
        await bed.UntilAsync(ordinary, r => r.Status is RecipientStatus.Delivered or RecipientStatus.Failed);

        Assert.All(await bed.RecipientsAsync(ordinary), r => Assert.Equal(RecipientStatus.Delivered, r.Status));
        Assert.Equal(40, inClear.Messages.Sum(m => m.Rcpts.Count));
    }

    [Fact]
    public async Task Required_TLS_is_delayed_while_no_server_can_be_reached()
    {
        await using var bed = await MakeAsync(postgres, client: Trusting);
        bed.Dns.Mx("example.org", 10, "mx.example.org");
        bed.AddDeadHost("mx.example.org");

        await bed.UntilAsync(await SendAsync(bed), RecipientStatus.Delayed);
    }

    [Fact]
    public async Task Opportunistic_TLS_takes_any_certificate_and_is_written_down()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        server.Certificate = TestAuthority.SelfSigned("somebody.else");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.True(server.Sessions.Single().IsTls);
        var attempt = (await bed.AttemptsAsync(sent)).Single();
        Assert.Equal(("1.3", "none"), (attempt.TlsVersion, attempt.TlsVerified));
        Assert.StartsWith("TLS_", attempt.TlsCipher, StringComparison.Ordinal);
    }

    private static Task<MoxApi.Delivery.Submitting.SubmissionReceipt> SendAsync(DeliveryBed bed) =>
        bed.SendAsync(new MessageDraft { From = null!, Text = "Hello" }, ["jane@example.org"], tls: RequireTls.Required);
}
