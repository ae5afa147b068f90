using System.Net;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp;

namespace MoxApi.Mail.Dns;

/// <summary>Finds the mail servers of a domain (RFC 5321 §5.1). Safe for concurrent use, unless <paramref name="random"/> is not.</summary>
/// <param name="resolver">Answers the questions.</param>
/// <param name="options">Who we are, and how far to look.</param>
/// <param name="random">Orders hosts of equal preference; a test passes a seeded one. <see cref="Random.Shared"/> unless given.</param>
public sealed class MxRouter(DnsResolver resolver, MxRouterOptions options, Random? random = null)
{
    private readonly HashSet<string> ownHosts = [.. options.OwnHosts.Select(DnsName.Normalize)];
    private readonly HashSet<IPAddress> ownAddresses = [.. options.OwnAddresses.Select(Plain)];
    private readonly Random random = random ?? Random.Shared;

    /// <summary>The hosts to try for a domain, best first, those of equal preference in random order.</summary>
    public async Task<MxRoute> RouteAsync(MailDomain domain, CancellationToken stop)
    {
        var answer = await resolver.MailExchangesAsync(domain.Ascii, stop);
        return answer.Status switch
        {
            DnsStatus.Found => await ExplicitAsync(domain, answer, stop),
            DnsStatus.NoData => await ImplicitAsync(domain, answer, stop),
            DnsStatus.NameError => Failed(domain, MxFailure.NoSuchDomain(domain)),
            _ => Failed(domain, MxFailure.DnsFailed(domain.Ascii, answer.Fault)),
        };
    }

    /// <summary>
    /// The addresses of one host of a route, looked up when they are needed, so that a host with broken DNS costs nothing unless it is tried.
    /// A route has failed for good only when every host has.
    /// </summary>
    public async Task<MxHostAddresses> AddressesAsync(MxHost host, CancellationToken stop)
    {
        // RFC 1035 §3.3.9 wants a name. Zones with an address instead exist, their owners mean it, and other senders deliver to it.
        if (IPAddress.TryParse(host.Name, out var literal)) return new MxHostAddresses(host, host.Name, [literal], null, false);
        // RFC 5321 §5.1: the name should not be an alias; where it is one, mail still goes to its target.
        var answer = await resolver.AddressesAsync(host.Name, stop);
        var failure = answer.Status switch
        {
            DnsStatus.Found => null,
            DnsStatus.TemporaryFailure => MxFailure.DnsFailed(host.Name, answer.Fault),
            _ => MxFailure.HostWithoutAddress(host.Name),
        };
        return new MxHostAddresses(host, answer.Name, [.. answer.Records.Take(options.MaximumAddresses)], failure, answer.IsAuthenticated);
    }

    private async Task<MxRoute> ExplicitAsync(MailDomain domain, DnsAnswer<MailExchange> answer, CancellationToken stop)
    {
        // RFC 7505 §3: the root as only exchange says that the domain takes no mail. Beside others it says nothing, and is no host.
        var named = answer.Records.Where(each => each.Host.Length > 0).ToArray();
        if (named.Length == 0) return Failed(domain, MxFailure.NullMx(domain));
        random.Shuffle(named);
        MxHost[] hosts = [.. named.OrderBy(each => each.Preference).DistinctBy(each => each.Host)
            .Take(options.MaximumHosts).Select(each => new MxHost(each.Host, each.Preference))];
        return await WithoutLoopAsync(domain, hosts, answer.IsAuthenticated, stop);
    }

    // RFC 5321 §5.1: without MX records the domain is its own host at preference 0, after aliases ("as if it were the initial name").
    private async Task<MxRoute> ImplicitAsync(MailDomain domain, DnsAnswer<MailExchange> answer, CancellationToken stop)
    {
        var host = new MxHost(answer.Name, 0);
        var found = await resolver.AddressesAsync(host.Name, stop);
        return found.Status switch
        {
            DnsStatus.Found => await WithoutLoopAsync(domain, [host], answer.IsAuthenticated, stop),
            DnsStatus.TemporaryFailure => Failed(domain, MxFailure.DnsFailed(domain.Ascii, found.Fault)),
            _ => Failed(domain, MxFailure.NeitherMxNorAddress(domain)),
        };
    }

    // RFC 5321 §5.1: where we are among the hosts, that one and all of the same or a higher number are left out, or mail would go in circles.
    private async Task<MxRoute> WithoutLoopAsync(MailDomain domain, MxHost[] hosts, bool authenticated, CancellationToken stop)
    {
        var own = await Task.WhenAll(hosts.Select(each => IsOwnAsync(each, stop)));
        var limit = hosts.Where((_, n) => own[n]).Select(each => each.Preference).DefaultIfEmpty(int.MaxValue).Min();
        MxHost[] others = [.. hosts.Where(each => each.Preference < limit)];
        return others.Length > 0 ? new MxRoute(domain, others, null, authenticated) : Failed(domain, MxFailure.LoopsBack(domain));
    }

    private async Task<bool> IsOwnAsync(MxHost host, CancellationToken stop)
    {
        if (ownHosts.Contains(host.Name)) return true;
        if (ownAddresses.Count == 0) return false;
        // Delivery asks the same next, from the resolver's memory.
        var found = await AddressesAsync(host, stop);
        return found.Addresses.Any(each => ownAddresses.Contains(Plain(each)));
    }

    private static IPAddress Plain(IPAddress address) => address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;

    private static MxRoute Failed(MailDomain domain, SmtpReply failure) => new(domain, [], failure, false);
}
