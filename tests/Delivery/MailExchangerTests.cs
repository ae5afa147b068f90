using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>Which server a message goes to (RFC 5321 §5.1).</summary>
public class MailExchangerTests(TestPostgres postgres)
{
    [Fact]
    public async Task The_host_of_the_lowest_preference_comes_first()
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 20, "b.example.org").Mx("example.org", 5, "a.example.org").Mx("example.org", 30, "c.example.org");
        var (second, first, third) = (bed.AddHost("b.example.org"), bed.AddHost("a.example.org"), bed.AddHost("c.example.org"));

        for (var i = 0; i < 3; i++) await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);

        Assert.Equal([3, 0, 0], new[] { first, second, third }.Select(s => s.Messages.Count));
    }

    [Fact]
    public async Task A_domain_without_MX_records_is_its_own_host()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddHost("example.org");

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);

        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task Only_a_recipient_that_needs_what_a_host_does_not_offer_goes_to_the_next()
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        var (first, second) = (bed.AddHost("a.example.org"), bed.AddHost("b.example.org"));
        first.Extensions = ["PIPELINING", "SIZE 10485760", "8BITMIME"];

        await bed.UntilAsync(await bed.SendTogetherAsync("jane@example.org", "döe@example.org"), RecipientStatus.Delivered);

        Assert.Equal(("RCPT TO:<jane@example.org>", "RCPT TO:<döe@example.org>"), (first.Messages.Single().Rcpts.Single(), second.Messages.Single().Rcpts.Single()));
    }

    [Theory, InlineData(false), InlineData(true)]
    public async Task After_a_failure_a_destination_is_left_alone_for_a_while_unless_it_does_not_exist(bool exists)
    {
        await using var bed = await MakeAsync(postgres);
        if (exists) bed.Dns.Mx("example.org", 10, "dead.example.org");
        if (exists) bed.AddDeadHost("dead.example.org");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, exists ? RecipientStatus.Delayed : RecipientStatus.Failed);

        DateTimeOffset? pausedUntil = null;
        var wants = bed.Node.Engine.Plan([(await bed.RecipientsAsync(sent)).Single().LaneId], (_, until) => pausedUntil = until);
        Assert.Equal((exists, exists ? 0 : 1), (pausedUntil is not null, wants.Count));
    }

    [Theory, InlineData(5, 3), InlineData(3, 3), InlineData(2, 2)]
    public async Task An_attempt_tries_so_many_addresses_and_no_more(int dead, int tried)
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxAddressesPerAttempt = 3 });
        AddMany(bed, dead, bed.AddDeadHost);

        var attempt = await DelayedAsync(bed);

        Assert.Equal(tried, Steps(attempt).Count(s => s.Step == "connect"));
        Assert.Equal(dead > tried, Steps(attempt)[^1].Step == "limit");
    }

    [Fact]
    public async Task A_host_that_DNS_says_nothing_about_counts_as_an_address_that_was_tried()
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxAddressesPerAttempt = 3 });
        for (var i = 0; i < 3; i++) bed.Dns.Mx("example.org", 10 + i, $"mx{i}.example.org").Fails($"mx{i}.example.org");
        bed.Dns.Mx("example.org", 20, "d.example.org");
        var fourth = bed.AddHost("d.example.org");

        var attempt = await DelayedAsync(bed);

        Assert.Equal(["mx", "address", "address", "address", "limit"], Steps(attempt).Select(s => s.Step));
        Assert.Equal(FailureClass.Dns, attempt.FailureClass);
        Assert.Empty(fourth.Sessions);
    }

    [Fact]
    public async Task An_attempt_that_has_lasted_long_tries_no_address_after_the_second()
    {
        var timeouts = new SmtpTimeouts { Greeting = TimeSpan.FromMilliseconds(600) };
        await using var bed = await MakeAsync(
            postgres, options: new() { NextAddressWithin = TimeSpan.FromSeconds(1) }, client: new() { HostName = "mail.acme.example", Timeouts = timeouts });
        AddMany(bed, 4, (host, _) => bed.AddHost(host).Always("connect", Peers.Act.Silence));

        var attempt = await DelayedAsync(bed);

        Assert.Equal(["mx", "connect", "connect", "limit"], Steps(attempt).Select(s => s.Step));
    }

    [Fact]
    public async Task A_transient_reply_before_a_limit_of_messages_delays_and_tries_no_other_host()
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        var first = bed.AddHost("a.example.org").Always("rcpt", "450 4.2.0 Greylisted");
        first.Extensions = ["LIMITS MAILMAX=1", "ENHANCEDSTATUSCODES"];
        var second = bed.AddHost("b.example.org");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        Assert.Empty(second.Sessions);
        Assert.Equal(FailureClass.Greylisted, (await bed.AttemptsAsync(sent)).Single().FailureClass);
        await UntilAsync(() => Task.FromResult(first.Transcript.Contains("C: QUIT")));
    }

    [Fact]
    public async Task A_domain_whose_mail_comes_to_ourselves_fails_at_once()
    {
        await using var bed = await MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "mail.acme.example").Mx("example.org", 20, "b.example.org").Address("mail.acme.example", "93.184.215.15");
        var other = bed.AddHost("b.example.org");

        var attempt = await FailedAsync(bed, "jane@example.org");

        Assert.Equal("5.4.6", attempt.EnhancedCode);
        Assert.Empty(other.Sessions);
    }

    private static void AddMany(DeliveryBed bed, int count, Action<string, bool> add)
    {
        for (var i = 0; i < count; i++)
        {
            bed.Dns.Mx("example.org", 10 + i, $"mx{i}.example.org");
            add($"mx{i}.example.org", false);
        }
    }

    private static async Task<Attempt> DelayedAsync(DeliveryBed bed)
    {
        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delayed);
        return (await bed.AttemptsAsync(sent)).Single();
    }

    private static async Task<Attempt> FailedAsync(DeliveryBed bed, string to)
    {
        var sent = await bed.SendAsync(to);
        await bed.UntilAsync(sent, RecipientStatus.Failed);
        return (await bed.AttemptsAsync(sent)).Single();
    }
}
