using System.Net;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dns;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Mail.Dns;

public sealed class MxRouterTests : IDisposable
{
    private static readonly MailDomain Domain = MailDomain.Parse("acme.example");

    private readonly FakeDns dns = new();
    private readonly DnsResolver resolver;
    private readonly MxRouter router;

    public MxRouterTests()
    {
        resolver = new DnsResolver(new DnsResolverOptions { Servers = [dns.EndPoint] }, new FakeTimeProvider());
        router = Router(new MxRouterOptions());
    }

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public void Dispose() => dns.Dispose();

    [Fact]
    public async Task Hosts_come_by_preference_whatever_the_order_of_the_answer()
    {
        dns.Mx("acme.example", 30, "c.example").Mx("acme.example", 10, "a.example").Mx("acme.example", 20, "b.example");
        var route = await router.RouteAsync(Domain, Stop);
        Assert.Null(route.Failure);
        Assert.Equal([new("a.example", 10), new("b.example", 20), new("c.example", 30)], route.Hosts);
    }

    [Fact]
    public async Task Hosts_of_equal_preference_come_in_random_order_and_only_those()
    {
        dns.Mx("acme.example", 20, "last.example");
        for (var n = 0; n < 4; n++) dns.Mx("acme.example", 10, $"mx{n}.example");
        var firsts = new HashSet<string>();
        for (var n = 0; n < 100; n++)
        {
            var route = await router.RouteAsync(Domain, Stop);
            firsts.Add(route.Hosts[0].Name);
            Assert.Equal("last.example", route.Hosts[4].Name);
        }
        Assert.Equal(4, firsts.Count);
    }

    [Fact]
    public async Task A_domain_with_addresses_only_is_its_own_host()
    {
        dns.Address("acme.example", "192.0.2.1");
        Assert.Equal([new("acme.example", 0)], (await router.RouteAsync(Domain, Stop)).Hosts);
    }

    [Fact]
    public async Task A_domain_that_is_an_alias_has_the_hosts_of_its_target()
    {
        dns.Cname("acme.example", "real.example").Mx("real.example", 10, "mx.example");
        dns.Cname("other.example", "plain.example").Address("plain.example", "192.0.2.1");
        Assert.Equal([new("mx.example", 10)], (await router.RouteAsync(Domain, Stop)).Hosts);
        Assert.Equal([new("plain.example", 0)], (await router.RouteAsync(MailDomain.Parse("other.example"), Stop)).Hosts);
    }

    [Fact]
    public async Task A_domain_in_unicode_is_asked_for_in_a_labels()
    {
        dns.Mx("xn--exmple-cua.org", 10, "mx.example");
        Assert.Equal([new("mx.example", 10)], (await router.RouteAsync(MailDomain.Parse("exämple.org"), Stop)).Hosts);
    }

    [Fact]
    public async Task Null_mx_is_permanent()
    {
        dns.Mx("acme.example", 0, ".").Address("acme.example", "192.0.2.1");
        await FailsAsync("556 5.1.10");
    }

    [Fact]
    public async Task Null_mx_beside_a_host_is_ignored()
    {
        dns.Mx("acme.example", 0, ".").Mx("acme.example", 10, "mx.example");
        Assert.Equal([new("mx.example", 10)], (await router.RouteAsync(Domain, Stop)).Hosts);
    }

    [Fact]
    public async Task A_domain_that_does_not_exist_is_permanent() => await FailsAsync("550 5.1.2");

    [Fact]
    public async Task A_domain_with_neither_mx_nor_address_is_permanent()
    {
        dns.Txt("acme.example", "v=spf1 -all");
        await FailsAsync("550 5.1.2");
    }

    [Fact]
    public async Task A_failure_of_dns_is_transient()
    {
        dns.Fails("acme.example");
        await FailsAsync("450 4.4.3");
    }

    [Fact]
    public async Task A_timeout_of_dns_is_transient()
    {
        dns.IsSilent("acme.example");
        await FailsAsync("450 4.4.3", Impatient());
    }

    [Fact]
    public async Task A_failure_while_looking_for_the_address_in_place_of_mx_is_transient()
    {
        dns.IsEmpty("acme.example").Fails("acme.example", "A").Fails("acme.example", "AAAA");
        await FailsAsync("450 4.4.3");
    }

    [Fact]
    public async Task Our_own_host_and_all_from_its_preference_on_are_left_out()
    {
        dns.Mx("acme.example", 5, "first.example").Mx("acme.example", 10, "US.example").Mx("acme.example", 10, "equal.example").Mx("acme.example", 20, "later.example");
        var route = await Router(new MxRouterOptions { OwnHosts = ["us.Example"] }).RouteAsync(Domain, Stop);
        Assert.Equal([new("first.example", 5)], route.Hosts);
    }

    [Theory]
    [InlineData("192.0.2.9", "192.0.2.9")]
    [InlineData("192.0.2.9", "::ffff:192.0.2.9")]
    [InlineData("2001:db8::9", "2001:db8::9")]
    public async Task Our_own_address_is_known_under_any_name(string address, string own)
    {
        dns.Mx("acme.example", 5, "first.example").Mx("acme.example", 10, "alias.example").Mx("acme.example", 20, "later.example");
        dns.Address("first.example", "192.0.2.1").Address("alias.example", address).Address("later.example", "192.0.2.2");
        var route = await Router(new MxRouterOptions { OwnAddresses = [IPAddress.Parse(own)] }).RouteAsync(Domain, Stop);
        Assert.Equal([new("first.example", 5)], route.Hosts);
    }

    [Fact]
    public async Task A_route_that_leads_only_to_ourselves_is_permanent()
    {
        dns.Mx("acme.example", 10, "us.example").Mx("acme.example", 20, "later.example");
        await FailsAsync("550 5.4.6", Router(new MxRouterOptions { OwnHosts = ["us.example"] }));
    }

    [Fact]
    public async Task A_domain_without_mx_whose_address_is_ours_is_permanent()
    {
        dns.Address("acme.example", "192.0.2.9");
        await FailsAsync("550 5.4.6", Router(new MxRouterOptions { OwnAddresses = [IPAddress.Parse("192.0.2.9")] }));
    }

    [Fact]
    public async Task A_host_with_broken_dns_does_not_hide_that_another_is_ours()
    {
        dns.Mx("acme.example", 5, "broken.example").Mx("acme.example", 10, "alias.example").Address("alias.example", "192.0.2.9").Fails("broken.example");
        var route = await Router(new MxRouterOptions { OwnAddresses = [IPAddress.Parse("192.0.2.9")] }).RouteAsync(Domain, Stop);
        Assert.Equal([new("broken.example", 5)], route.Hosts);
    }

    [Fact]
    public async Task A_route_has_twenty_hosts_at_most_the_best_ones()
    {
        for (var n = 0; n < 40; n++) dns.Mx("acme.example", 100 - n, $"mx{n}.example");
        var route = await router.RouteAsync(Domain, Stop);
        Assert.Equal(Enumerable.Range(61, 20), route.Hosts.Select(each => each.Preference));
    }

    [Fact]
    public async Task A_host_named_twice_is_tried_once_at_its_better_preference()
    {
        dns.Mx("acme.example", 20, "mx.example").Mx("acme.example", 10, "MX.example");
        Assert.Equal([new("mx.example", 10)], (await router.RouteAsync(Domain, Stop)).Hosts);
    }

    [Fact]
    public async Task Hosts_are_not_looked_up_before_they_are_tried()
    {
        dns.Mx("acme.example", 10, "mx.example").Mx("acme.example", 20, "silent.example").IsSilent("silent.example").Address("mx.example", "192.0.2.1");
        await router.RouteAsync(Domain, Stop);
        Assert.Equal((0, 0), (dns.Asked("mx.example"), dns.Asked("silent.example")));
    }

    [Fact]
    public async Task Addresses_of_a_host_come_in_both_families_and_ten_at_most()
    {
        dns.Address("mx.example", [.. Enumerable.Range(1, 20).Select(n => $"192.0.2.{n}"), "2001:db8::1"]);
        var found = await router.AddressesAsync(new MxHost("mx.example", 10), Stop);
        Assert.Null(found.Failure);
        Assert.Equal(10, found.Addresses.Count);
        Assert.Contains(IPAddress.Parse("2001:db8::1"), found.Addresses);
    }

    [Fact]
    public async Task A_host_that_is_an_alias_has_the_addresses_of_its_target()
    {
        dns.Cname("mx.example", "target.example").Address("target.example", "192.0.2.1");
        var found = await router.AddressesAsync(new MxHost("mx.example", 10), Stop);
        Assert.Equal(("target.example", "192.0.2.1"), (found.CanonicalName, found.Addresses.Single().ToString()));
    }

    [Fact]
    public async Task A_host_with_underscores_is_found()
    {
        dns.Mx("acme.example", 10, "mx_1._mail.acme.example").Address("mx_1._mail.acme.example", "192.0.2.1");
        var route = await router.RouteAsync(Domain, Stop);
        Assert.Single((await router.AddressesAsync(route.Hosts.Single(), Stop)).Addresses);
    }

    [Fact]
    public async Task An_address_in_place_of_a_host_name_is_taken_as_such()
    {
        dns.Mx("acme.example", 10, "192.0.2.7");
        var route = await router.RouteAsync(Domain, Stop);
        Assert.Equal([IPAddress.Parse("192.0.2.7")], (await router.AddressesAsync(route.Hosts.Single(), Stop)).Addresses);
        Assert.Equal(0, dns.Asked("192.0.2.7"));
    }

    [Theory]
    [InlineData("none.example", "550 5.4.4")]
    [InlineData("empty.example", "550 5.4.4")]
    [InlineData("fails.example", "450 4.4.3")]
    [InlineData("silent.example", "450 4.4.3")]
    public async Task A_host_without_addresses_says_whether_that_may_change(string host, string reply)
    {
        dns.IsEmpty("empty.example").Fails("fails.example").IsSilent("silent.example");
        var found = await (host == "silent.example" ? Impatient() : router).AddressesAsync(new MxHost(host, 10), Stop);
        Assert.Empty(found.Addresses);
        Assert.StartsWith(reply, found.Failure!.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_word_of_dnssec_is_passed_on()
    {
        dns.Validates = true;
        dns.Mx("acme.example", 10, "mx.example").Address("mx.example", "192.0.2.1");
        var route = await router.RouteAsync(Domain, Stop);
        Assert.True(route.IsAuthenticated);
        Assert.True((await router.AddressesAsync(route.Hosts[0], Stop)).IsAuthenticated);
    }

    private async Task FailsAsync(string reply, MxRouter? by = null)
    {
        var route = await (by ?? router).RouteAsync(Domain, Stop);
        Assert.Empty(route.Hosts);
        Assert.StartsWith(reply, route.Failure!.ToString(), StringComparison.Ordinal);
    }

    // For names without an answer only: a slow machine must not make a silence of an answer.
    private MxRouter Impatient()
    {
        var options = new DnsResolverOptions { Servers = [dns.EndPoint], Timeout = TimeSpan.FromMilliseconds(50), Retries = 0 };
        return new MxRouter(new DnsResolver(options, new FakeTimeProvider()), new MxRouterOptions());
    }

    private MxRouter Router(MxRouterOptions options) => new(resolver, options, new Random(42));
}
