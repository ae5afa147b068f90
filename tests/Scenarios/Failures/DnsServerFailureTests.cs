using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class DnsServerFailureTests(TestPostgres postgres)
{
    [Theory, InlineData("example.org"), InlineData("mx.example.org")]
    public async Task While_DNS_answers_SERVFAIL_a_message_is_delayed_and_then_delivered(string failing)
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        if (failing == "mx.example.org") bed.Dns.Mx("example.org", 10, "mx.example.org");
        bed.Dns.Fails(failing);

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        Assert.Equal(("4.4.3", FailureClass.Dns), (await bed.AttemptsAsync(sent)).Select(a => (a.EnhancedCode, a.FailureClass)).Single());

        bed.Dns.Remove("example.org").Remove("mx.example.org");
        var server = bed.AddDomain("example.org");
        // Another node remembers no failure.
        await bed.Node.DisposeAsync();
        await bed.StartNodeAsync();
        await bed.HurryAsync(sent);
        await bed.UntilAsync(sent, RecipientStatus.Delivered);
        Assert.Single(server.Messages);
    }
}
