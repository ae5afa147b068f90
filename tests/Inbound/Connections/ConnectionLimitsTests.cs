using System.Net;
using MoxApi.Inbound.Connections;
using Xunit;

namespace MoxApi.Tests.Inbound.Connections;

public class ConnectionLimitsTests
{
    [Fact]
    public void A_network_gets_its_share_and_a_place_is_given_back_once()
    {
        var limits = new ConnectionLimits(total: 10, perNetwork: 2);
        var one = limits.TryEnter(IPAddress.Parse("192.0.2.1"));
        Assert.NotNull(one);
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("::ffff:192.0.2.1")));
        Assert.Null(limits.TryEnter(IPAddress.Parse("192.0.2.1")));
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("192.0.2.2")));
        one.Dispose();
        one.Dispose();
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("192.0.2.1")));
        Assert.Null(limits.TryEnter(IPAddress.Parse("192.0.2.1")));
    }

    [Fact]
    public void A_64_of_IPv6_is_one_network()
    {
        var limits = new ConnectionLimits(total: 10, perNetwork: 1);
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("2001:db8:0:1::1")));
        Assert.Null(limits.TryEnter(IPAddress.Parse("2001:db8:0:1:ffff::2")));
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("2001:db8:0:2::1")));
    }

    [Fact]
    public void There_is_a_limit_over_all()
    {
        var limits = new ConnectionLimits(total: 1, perNetwork: 5);
        using (limits.TryEnter(IPAddress.Parse("192.0.2.1"))) Assert.Null(limits.TryEnter(IPAddress.Parse("192.0.2.2")));
        Assert.NotNull(limits.TryEnter(IPAddress.Parse("192.0.2.2")));
    }
}
