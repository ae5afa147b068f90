using System.Diagnostics.CodeAnalysis;
using System.Net;
using DnsClient;
using DnsClient.Protocol;

namespace MoxApi.Mail.Dns;

/// <summary>Asks the servers, and follows aliases from answer to answer.</summary>
[SuppressMessage("Reliability", "CA1001", Justification = "Lives as long as the program; the semaphore has no handle unless one is asked for.")]
internal sealed class DnsExchange
{
    private const int MaximumRecords = 100;
    private const int MaximumBytesKept = 4096;

    private readonly DnsResolverOptions options;
    private readonly TimeProvider clock;
    private readonly LookupClient client;
    private readonly NameServer[] servers;
    private readonly bool trustsServers;
    private readonly SemaphoreSlim room;

    public DnsExchange(DnsResolverOptions options, TimeProvider clock)
    {
        this.options = options;
        this.clock = clock;
        room = new SemaphoreSlim(options.MaximumConcurrentQuestions);
        servers = options.Servers.Count > 0
            ? [.. options.Servers.Select(each => new NameServer(each))]
            : NameServer.ResolveNameServers(skipIPv6SiteLocal: true, fallbackToGooglePublicDns: false).ToArray();
        trustsServers = options.TrustAuthenticData ?? servers.All(IsLoopback);
        client = new LookupClient(new LookupClientOptions(servers)
        {
            UseCache = false,
            ThrowDnsErrors = false,
            Timeout = options.Timeout,
            Retries = options.Retries,
            ExtendedDnsBufferSize = 1232, // What passes unfragmented on nearly every path; what is longer comes over TCP.
            RequestDnsSecRecords = trustsServers, // RFC 6840 §5.7: a server says AD to those who ask with DO (or AD, which DnsClient cannot).
        });
    }

    /// <summary>Asks until the answer is not an alias; never throws.</summary>
    public async Task<DnsLookup> AskAsync(DnsKey key)
    {
        var search = new AliasSearch(key);
        while (true)
        {
            var (response, fault) = await ExchangeAsync(search.Name, key.Type);
            if (response is null) return Failure(search.Name, fault);
            var step = search.Take(response);
            search.IsAuthenticated &= trustsServers && response.Header.IsAuthenticData;
            switch (step)
            {
                case AliasStep.Found: return Found(search, response);
                case AliasStep.Ask: continue;
                case AliasStep.Nothing: return Nothing(search, response);
                default: return Failure(search.Name, $"More than {AliasSearch.MaximumAliases} aliases in a row.");
            }
        }
    }

    // The first server that knows decides. DnsClient would, after an NXDOMAIN, ask the next as well.
    private async Task<(IDnsQueryResponse? Response, string Fault)> ExchangeAsync(string name, QueryType type)
    {
        await room.WaitAsync();
        try
        {
            var fault = "No DNS server is configured.";
            foreach (var server in servers)
            {
                (var response, fault) = await ExchangeAsync(server, name, type);
                if (response is not null) return (response, fault);
            }
            return (null, fault);
        }
        finally
        {
            room.Release();
        }
    }

    private async Task<(IDnsQueryResponse? Response, string Fault)> ExchangeAsync(NameServer server, string name, QueryType type)
    {
        try
        {
            var response = await client.QueryServerAsync([server], name, type);
            return response.Header.ResponseCode is DnsHeaderResponseCode.NoError or DnsHeaderResponseCode.NotExistentDomain
                ? (response, "")
                : (null, $"The DNS server answered {response.Header.ResponseCode}.");
        }
        catch (DnsResponseException failure) when (failure.Code == DnsResponseCode.ConnectionTimeout)
        {
            return (null, "The DNS server did not answer in time.");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            // Sockets, and DnsClient's reader, which throws many things at bytes that are no answer.
            return (null, $"DNS failed: {failure.Message}");
        }
    }

    private DnsLookup Found(AliasSearch search, IDnsQueryResponse response)
    {
        var kept = response.MessageSize > MaximumBytesKept ? TimeSpan.Zero : Least(search.TimeToLive, options.MaximumTimeToLive);
        return Result(DnsStatus.Found, search, [.. search.Records.Take(MaximumRecords)], kept);
    }

    private DnsLookup Nothing(AliasSearch search, IDnsQueryResponse response)
    {
        var status = response.Header.ResponseCode == DnsHeaderResponseCode.NotExistentDomain ? DnsStatus.NameError : DnsStatus.NoData;
        // RFC 2308 §5: kept for the lesser of the SOA's own time and its MINIMUM field; without an SOA not at all.
        var soa = response.Authorities.SoaRecords().FirstOrDefault();
        var kept = soa is null ? TimeSpan.Zero : TimeSpan.FromSeconds(Math.Min(soa.Minimum, Math.Max(soa.InitialTimeToLive, 0)));
        return Result(status, search, [], Least(Least(kept, search.TimeToLive), options.MaximumNegativeTimeToLive));
    }

    private DnsLookup Result(DnsStatus status, AliasSearch search, IReadOnlyList<DnsResourceRecord> records, TimeSpan kept) =>
        new(status, search.Name, records, clock.GetUtcNow() + kept, search.IsAuthenticated, null);

    private DnsLookup Failure(string name, string fault) =>
        new(DnsStatus.TemporaryFailure, name, [], clock.GetUtcNow() + options.FailureTimeToLive, false, fault);

    private static TimeSpan Least(TimeSpan one, TimeSpan other) => one < other ? one : other;

    private static bool IsLoopback(NameServer server) => IPAddress.TryParse(server.Address, out var address) && IPAddress.IsLoopback(address);
}
