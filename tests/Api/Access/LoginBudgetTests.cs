using System.Net;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api.Access;
using MoxApi.Api.Problems;
using Xunit;

namespace MoxApi.Tests.Api.Access;

public class LoginBudgetTests
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 11, 22, 10, 0, 15, TimeSpan.Zero));
    private readonly LoginBudget budget;

    public LoginBudgetTests() => budget = new LoginBudget(time);

    [Fact]
    public void Ten_failures_use_up_an_addresss_minute_and_the_next_minute_is_new()
    {
        Fail("192.0.2.1", 9);
        Assert.Null(Wait("192.0.2.1"));
        Fail("192.0.2.1", 1);
        Assert.Equal(TimeSpan.FromSeconds(45), Wait("192.0.2.1"));
        Assert.Null(Wait("192.0.2.2"));
        time.Advance(TimeSpan.FromSeconds(45));
        Assert.Null(Wait("192.0.2.1"));
    }

    [Fact]
    public void Fifty_failures_use_up_an_addresss_day()
    {
        for (var minute = 0; minute < 5; minute++)
        {
            Assert.Null(Wait("192.0.2.1"));
            Fail("192.0.2.1", 10);
            time.Advance(TimeSpan.FromMinutes(1));
        }
        Assert.Equal(new DateTimeOffset(2026, 11, 23, 0, 0, 0, TimeSpan.Zero), time.GetUtcNow() + Wait("192.0.2.1"));
        time.Advance(Wait("192.0.2.1")!.Value);
        Assert.Null(Wait("192.0.2.1"));
    }

    [Theory]
    [InlineData("192.0.2.", "192.0.2.40", "192.0.2.99", 30)] // /26
    [InlineData("2001:db8:1:{0}::", "2001:db8:1:ffff::1", "2001:db8:2::1", 30)] // /48
    [InlineData("198.51.{0}.1", "198.51.103.200", "198.51.104.1", 90)] // /21, one address of each /24
    [InlineData("2001:db8:{0}::", "2001:db8:ffff::1", "2001:db9::1", 90)] // /32
    public void The_networks_around_an_address_have_a_budget_too(string pattern, string inside, string outside, int perMinute)
    {
        for (var n = 0; n < perMinute; n++)
        {
            Assert.Null(Wait(inside));
            Fail(Nth(pattern, n), 1);
        }
        Assert.NotNull(Wait(inside));
        Assert.Null(Wait(outside));
    }

    [Fact]
    public void A_64_of_IPv6_is_one_network_and_a_mapped_IPv4_address_is_IPv4()
    {
        Fail("2001:db8::1", 10);
        Assert.NotNull(Wait("2001:db8::ffff:0:0:1"));
        Assert.Null(Wait("2001:db8:0:1::1"));
        Fail("::ffff:192.0.2.1", 10);
        Assert.NotNull(Wait("192.0.2.1"));
        Assert.Null(Wait("::ffff:192.0.2.2"));
    }

    [Fact]
    public void Who_has_to_wait_is_told_how_long()
    {
        budget.ThrowIfExhausted(IPAddress.Parse("192.0.2.1"));
        Fail("192.0.2.1", 10);

        var refusal = Assert.Throws<RefusalException>(() => budget.ThrowIfExhausted(IPAddress.Parse("192.0.2.1"))).Refusal;

        Assert.Equal((429, "rate_limited", TimeSpan.FromSeconds(45)), (refusal.Status, refusal.Code, refusal.RetryAfter));
    }

    [Fact]
    public void Memory_is_bounded_and_the_networks_of_this_minute_are_kept()
    {
        // Each from a /32 of its own, so that every failure is three networks.
        for (var n = 0; n < LoginBudget.MaxNetworks; n++)
        {
            if (n % 2000 == 0) time.Advance(TimeSpan.FromMinutes(1));
            Fail($"{0x2000 + (n >> 16):x}:{n & 0xffff:x}::1", 1);
            Assert.InRange(budget.Count, 1, LoginBudget.MaxNetworks);
        }
        time.Advance(TimeSpan.FromMinutes(1));
        Fail("192.0.2.1", 10);
        for (var n = 0; n < 2000; n++) Fail($"3000:{n:x}::1", 1);
        Assert.NotNull(Wait("192.0.2.1"));
    }

    private static string Nth(string pattern, int n) => pattern switch
    {
        "192.0.2." => $"192.0.2.{n + 1}",
        "198.51.{0}.1" => $"198.51.{96 + (n % 8)}.{(n / 8) * 64 % 256}",
        "2001:db8:1:{0}::" => $"2001:db8:1:{n:x}::1",
        _ => $"2001:db8:{n:x}::1",
    };

    private TimeSpan? Wait(string address) => budget.Wait(IPAddress.Parse(address));

    private void Fail(string address, int times)
    {
        for (var n = 0; n < times; n++) budget.Fail(IPAddress.Parse(address));
    }
}
