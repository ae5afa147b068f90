using DnsClient;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Dns;
using Xunit;

namespace MoxApi.Tests.Mail.Dns;

public class DnsCacheTests
{
    private readonly FakeTimeProvider clock = new();

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_never_holds_more_than_its_capacity_and_drops_what_has_expired_first()
    {
        var cache = new DnsCache(100, clock);
        var asked = 0;
        for (var n = 0; n < 50; n++) await cache.GetAsync(Key($"short{n}"), Ask(1), Stop);
        clock.Advance(TimeSpan.FromSeconds(2));
        for (var n = 0; n < 51; n++) await cache.GetAsync(Key($"long{n}"), Ask(3600), Stop);
        Assert.Equal(51, cache.Count);
        for (var n = 0; n < 51; n++) await cache.GetAsync(Key($"long{n}"), Counting, Stop);
        Assert.Equal(0, asked);
        for (var n = 0; n < 10_000; n++)
        {
            await cache.GetAsync(Key($"more{n}"), Ask(3600), Stop);
            Assert.InRange(cache.Count, 1, 100);
        }

        Task<DnsLookup> Counting(DnsKey key)
        {
            asked++;
            return Ask(3600)(key);
        }
    }

    private static DnsKey Key(string name) => new(name, QueryType.MX);

    private Func<DnsKey, Task<DnsLookup>> Ask(int seconds) =>
        key => Task.FromResult(new DnsLookup(DnsStatus.NoData, key.Name, [], clock.GetUtcNow() + TimeSpan.FromSeconds(seconds), false, null));
}
