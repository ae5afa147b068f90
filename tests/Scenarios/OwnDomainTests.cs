using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>Mail whose servers are this node itself, with the real program.</summary>
public class OwnDomainTests(TestPostgres postgres)
{
    [Fact]
    public async Task Mail_to_a_domain_of_ours_goes_to_our_own_listener_and_mail_to_others_that_comes_back_fails_as_a_loop()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        foreach (var domain in new[] { "acme.example", "other.example" }) installation.Dns.Mx(domain, 10, "mail.acme.example");
        installation.Dns.Address("mail.acme.example", "192.0.2.77");
        await using var node = await installation.StartNodeAsync("a", ("Listeners__Smtp__0", "0.0.0.0:0"));

        await installation.SendAsync(node, "<ours@acme.example>", "receipts@acme.example");
        await installation.SendAsync(node, "<theirs@acme.example>", "jane@other.example");
        await installation.QueueIsEmptyAsync();

        var ours = Assert.Single(await installation.AttemptsAsync("<ours@acme.example>"));
        Assert.Equal((AttemptOutcome.Delivered, "mail.acme.example", "127.0.0.1"), (ours.Outcome, ours.RemoteHost, ours.RemoteAddress));
        await installation.CountIsAsync("SELECT count(*) FROM mailbox_message i JOIN message m ON m.id = i.message_id WHERE m.message_id_header = '<ours@acme.example>'", 1);
        var theirs = Assert.Single(await installation.AttemptsAsync("<theirs@acme.example>"));
        Assert.Equal((AttemptOutcome.Failed, "5.4.6"), (theirs.Outcome, theirs.EnhancedCode));
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_node_without_a_listener_sends_mail_for_our_domains_to_the_one_that_has_it()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var receiver = await installation.StartNodeAsync("in", ("Node__Roles__0", "inbound"), ("Listeners__Smtp__0", "127.0.0.1:0"));
        installation.Dns.Mx("acme.example", 10, "mail.acme.example").Address("mail.acme.example", "192.0.2.77");
        await using var sender = await installation.StartNodeAsync(
            "out", ("Node__Roles__0", "api"), ("Node__Roles__1", "delivery"), ("ConnectMap__0", $"192.0.2.77:25={receiver.Smtp}"));

        await installation.SendAsync(sender, "<ours@acme.example>", "receipts@acme.example");
        await installation.QueueIsEmptyAsync();

        var attempt = Assert.Single(await installation.AttemptsAsync("<ours@acme.example>"));
        Assert.Equal((AttemptOutcome.Delivered, "192.0.2.77"), (attempt.Outcome, attempt.RemoteAddress));
    }
}
