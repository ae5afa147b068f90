using System.Net;
using DnsClient;
using DnsClient.Protocol;

namespace MoxApi.Mail.Dns;

/// <summary>
/// Asks recursive DNS servers over UDP with EDNS, and over TCP when an answer was cut; follows aliases; remembers answers by their time to
/// live. Safe for concurrent use. Nothing that DNS does makes it throw: what is wrong is told by the answer's status.
/// </summary>
public sealed class DnsResolver
{
    private readonly DnsExchange exchange;
    private readonly DnsCache cache;
    private readonly TimeProvider clock;

    /// <summary>A resolver with a memory of its own.</summary>
    public DnsResolver(DnsResolverOptions options, TimeProvider clock)
    {
        this.clock = clock;
        exchange = new DnsExchange(options, clock);
        cache = new DnsCache(options.CacheCapacity, clock);
    }

    /// <summary>The MX records of a domain, as they come (RFC 5321 §5.1 orders them: see <see cref="MxRouter"/>).</summary>
    public async Task<DnsAnswer<MailExchange>> MailExchangesAsync(string name, CancellationToken stop) =>
        Answer(await LookUpAsync(name, QueryType.MX, stop), record =>
            record is MxRecord mx ? new MailExchange(mx.Preference, DnsName.Normalize(mx.Exchange.Original)) : null);

    /// <summary>The TXT records of a name, the strings of each joined without a gap (RFC 7208 §3.3, RFC 6376 §3.6.2.2).</summary>
    public async Task<DnsAnswer<string>> TextsAsync(string name, CancellationToken stop) =>
        Answer(await LookUpAsync(name, QueryType.TXT, stop), record => record is TxtRecord txt ? string.Concat(txt.Text) : null);

    /// <summary>
    /// The IPv6 and IPv4 addresses of a host, in turn, IPv6 first, so that the second try is over the other family; within a family in the
    /// order of the answer (RFC 5321 §5.1). One family's failure does not matter when the other has addresses.
    /// </summary>
    public async Task<DnsAnswer<IPAddress>> AddressesAsync(string name, CancellationToken stop)
    {
        var asking6 = LookUpAsync(name, QueryType.AAAA, stop);
        var asking4 = LookUpAsync(name, QueryType.A, stop);
        var (v6, v4) = (Answer(await asking6, AddressOf), Answer(await asking4, AddressOf));
        if (v6.Status != DnsStatus.Found) return v4.Status == DnsStatus.Found ? v4 : MoreTelling(v6, v4);
        if (v4.Status != DnsStatus.Found) return v6;
        var inTurn = v6.Records.Select((address, n) => (address, n)).Concat(v4.Records.Select((address, n) => (address, n)));
        return v6 with
        {
            Records = [.. inTurn.OrderBy(each => each.n).Select(each => each.address)],
            TimeToLive = v6.TimeToLive < v4.TimeToLive ? v6.TimeToLive : v4.TimeToLive,
            IsAuthenticated = v6.IsAuthenticated && v4.IsAuthenticated,
        };
    }

    private static IPAddress? AddressOf(DnsResourceRecord record) => (record as AddressRecord)?.Address;

    // A failure may hide addresses, so it outweighs the other's "nothing here".
    private static DnsAnswer<IPAddress> MoreTelling(DnsAnswer<IPAddress> one, DnsAnswer<IPAddress> other) =>
        one.Status >= other.Status ? one : other;

    private Task<DnsLookup> LookUpAsync(string name, QueryType type, CancellationToken stop)
    {
        var key = new DnsKey(DnsName.Normalize(name), type);
        // What cannot be written as a name cannot exist.
        if (!DnsName.CanBeAsked(key.Name)) return Task.FromResult(new DnsLookup(DnsStatus.NameError, key.Name, [], clock.GetUtcNow(), false, null));
        return cache.GetAsync(key, exchange.AskAsync, stop);
    }

    private DnsAnswer<T> Answer<T>(DnsLookup lookup, Func<DnsResourceRecord, T?> read)
        where T : class
    {
        var left = lookup.Expires - clock.GetUtcNow();
        return new DnsAnswer<T>(
            lookup.Status, lookup.Name, [.. lookup.Records.Select(read).OfType<T>()], left > TimeSpan.Zero ? left : TimeSpan.Zero,
            lookup.IsAuthenticated, lookup.Fault);
    }
}
