using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class DeadIpv6Tests(TestPostgres postgres)
{
    [Fact]
    public async Task After_a_dead_IPv6_address_comes_IPv4_in_the_same_attempt()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "mx.example.org");
        bed.AddDeadHost("mx.example.org", ipv6: true);
        var server = bed.AddHost("mx.example.org");

        for (var i = 0; i < 3; i++)
        {
            var sent = await bed.SendAsync("jane@example.org");
            await bed.UntilAsync(sent, RecipientStatus.Delivered);
            Assert.Single(await bed.AttemptsAsync(sent));
        }

        Assert.Equal(3, server.Messages.Count);
    }
}
