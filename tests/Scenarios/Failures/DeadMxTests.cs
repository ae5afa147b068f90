using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class DeadMxTests(TestPostgres postgres)
{
    [Fact]
    public async Task After_a_dead_host_comes_the_next_in_the_same_attempt()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "dead.example.org").Mx("example.org", 20, "live.example.org");
        bed.AddDeadHost("dead.example.org");
        var live = bed.AddHost("live.example.org");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        var attempt = (await bed.AttemptsAsync(sent)).Single();
        Assert.Single(live.Messages);
        Assert.Equal("live.example.org", attempt.RemoteHost);
        var connects = DeliveryBed.Steps(attempt).Where(s => s.Step == "connect").ToArray();
        Assert.Equal(2, connects.Length);
        Assert.StartsWith("dead.example.org [", connects[0].Address, StringComparison.Ordinal);
        Assert.StartsWith("live.example.org [", connects[1].Address, StringComparison.Ordinal);
    }

    [Theory, InlineData("554 5.3.2 Not here"), InlineData("421 4.3.2 Not now")]
    public async Task After_a_host_that_greets_with_a_refusal_comes_the_next(string greeting)
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        bed.AddHost("a.example.org").Always("connect", greeting);
        var second = bed.AddHost("b.example.org");

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);

        Assert.Single(second.Messages);
    }

    [Theory, InlineData("mail"), InlineData("rcpt"), InlineData("data")]
    public async Task After_a_host_that_breaks_off_comes_the_next_in_the_same_attempt(string step)
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        bed.AddHost("a.example.org").Always(step, Act.Disconnect);
        var second = bed.AddHost("b.example.org");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Single(second.Messages);
        Assert.Equal(2, DeliveryBed.Steps((await bed.AttemptsAsync(sent)).Single()).Count(s => s.Step == "connect"));
    }

    [Fact]
    public async Task Where_all_hosts_are_dead_a_message_is_delayed_after_the_last_and_holds_up_nobody()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "a.example.org").Mx("example.org", 20, "b.example.org");
        bed.AddDeadHost("a.example.org");
        bed.AddDeadHost("b.example.org");
        bed.AddDomain("good.example.org");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(await bed.SendAsync("sam@good.example.org"), RecipientStatus.Delivered);
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        var attempt = (await bed.AttemptsAsync(sent)).Single();
        Assert.Equal((0, "4.4.1", FailureClass.Network), (attempt.SmtpCode, attempt.EnhancedCode, attempt.FailureClass));
        Assert.Equal(["mx", "connect", "connect"], DeliveryBed.Steps(attempt).Select(s => s.Step));
    }
}
