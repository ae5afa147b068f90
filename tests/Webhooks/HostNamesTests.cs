using System.Net;
using MoxApi.Mail.Dns;
using MoxApi.Tests.Peers;
using MoxApi.Webhooks.Posting;
using Xunit;

namespace MoxApi.Tests.Webhooks;

public sealed class HostNamesTests : IDisposable
{
    private readonly FakeDns dns = new();
    private readonly HostNames names;

    public HostNamesTests() => names = new(new DnsResolver(new DnsResolverOptions { Servers = [dns.EndPoint] }, TimeProvider.System));

    public void Dispose()
    {
        names.Dispose();
        dns.Dispose();
    }

    [Fact]
    public async Task A_name_is_looked_up_in_dns()
    {
        dns.Address("hooks.acme.example", "192.0.2.1", "2001:db8::1");

        Assert.Equal(
            [IPAddress.Parse("192.0.2.1"), IPAddress.Parse("2001:db8::1")],
            (await names.AddressesAsync("hooks.acme.example", default)).OrderBy(a => a.AddressFamily));
    }

    [Fact]
    public async Task Localhost_is_the_systems_to_know() => Assert.Contains(IPAddress.Loopback, await names.AddressesAsync("localhost", default));

    [Fact]
    public async Task A_server_that_fails_is_told_with_the_name()
    {
        dns.Fails("hooks.acme.example");

        var fault = await Assert.ThrowsAsync<IOException>(() => names.AddressesAsync("hooks.acme.example", default));
        Assert.StartsWith("The name hooks.acme.example cannot be looked up", fault.Message, StringComparison.Ordinal);
    }
}
