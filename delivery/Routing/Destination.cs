using System.Net;
using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dns;
using MoxApi.Mail.Smtp.Client;

namespace MoxApi.Delivery.Routing;

/// <summary>A mail server to try.</summary>
/// <param name="Host">Its name.</param>
/// <param name="Addresses">Its addresses, in the order to try; empty where they could not be found.</param>
/// <param name="Failure">Why there is no address.</param>
/// <param name="AllowPrivate">Whether it may have an address that is not public, because it was configured and not looked up.</param>
internal sealed record RouteHost(string Host, IReadOnlyList<IPEndPoint> Addresses, Verdict? Failure, bool AllowPrivate)
{
    /// <summary>Whether the host has addresses of both families.</summary>
    public bool IsDualStack => Addresses.DistinctBy(a => a.AddressFamily).Count() > 1;
}

/// <summary>Finds the mail servers of a destination.</summary>
internal interface IDestinations
{
    /// <summary>The servers to try one after the other, each looked up when its turn comes; or a failure as the only item without address.</summary>
    IAsyncEnumerable<RouteHost> HostsAsync(MailDomain domain, Conversation conversation, CancellationToken cancel);
}

/// <summary>The steps of an attempt before any server was reached.</summary>
internal sealed class Conversation(TimeProvider time)
{
    /// <summary>The steps so far.</summary>
    public List<SmtpStep> Steps { get; } = [];

    /// <summary>Writes a step down that began at <paramref name="since"/>.</summary>
    public void Add(string step, long since, string text) => Steps.Add(new SmtpStep(step, 0, text, (int)time.GetElapsedTime(since).TotalMilliseconds));

    /// <summary>The time from which a step counts.</summary>
    public long Now => time.GetTimestamp();
}

/// <summary>The way by MX records (RFC 5321 §5.1).</summary>
internal sealed class MxDestinations(MxRouter router, OwnDomains own) : IDestinations
{
    private const int SmtpPort = 25;

    public async IAsyncEnumerable<RouteHost> HostsAsync(
        MailDomain domain, Conversation conversation, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancel)
    {
        var since = conversation.Now;
        var route = await router.RouteAsync(domain, cancel);
        if (route.LoopsBack && await own.ContainsAsync(domain, cancel))
        {
            // RFC 5321 §5.1: no loop, where this is the final destination.
            if (own.Listener is { } listener)
            {
                conversation.Add("mx", since, $"The mail servers of {domain.Ascii} are this one, and it is a domain of ours.");
                yield return new RouteHost(listener.HostName, [listener.EndPoint()], null, true);
                yield break;
            }
            route = await own.RouteAsync(domain, cancel);
        }
        if (route.Failure is { } failure)
        {
            conversation.Add("mx", since, failure.Text);
            yield return new RouteHost(domain.Ascii, [], Verdict.OfDns(failure), false);
            yield break;
        }
        conversation.Add("mx", since, string.Join(", ", route.Hosts.Select(h => $"{h.Name} ({h.Preference})")));
        foreach (var host in route.Hosts)
        {
            since = conversation.Now;
            var found = await router.AddressesAsync(host, cancel);
            if (found.Failure is not null) conversation.Add("address", since, found.Failure.Text);
            yield return new RouteHost(host.Name, [.. found.Addresses.Select(a => new IPEndPoint(a, SmtpPort))], found.Failure is { } why ? Verdict.OfDns(why) : null, false);
        }
    }
}

/// <summary>The sandbox's way: whatever the domain, to our own listener.</summary>
internal sealed class FixedDestination(string host, IPEndPoint endPoint) : IDestinations
{
    public IAsyncEnumerable<RouteHost> HostsAsync(MailDomain domain, Conversation conversation, CancellationToken cancel) =>
        new[] { new RouteHost(host, [endPoint], null, true) }.ToAsyncEnumerable();
}
