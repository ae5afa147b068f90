using System.Net;
using System.Net.Sockets;
using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Client;

namespace MoxApi.Delivery.Routing;

/// <summary>What a connection must be fit for.</summary>
/// <param name="VerifiedTls">TLS with a certificate verified for the host (RFC 8689).</param>
/// <param name="Avoid">An address family not to use, where there is another.</param>
internal readonly record struct ConnectionNeed(bool VerifiedTls, AddressFamily? Avoid);

/// <summary>
/// One walk over the mail servers of a destination, host by host and address by address, each tried once (RFC 5321 §5.1). A connection that
/// breaks continues the walk where it stands.
/// </summary>
internal sealed class Route : IAsyncDisposable
{
    private readonly SmtpConnector connector;
    private readonly ConnectionNeed need;
    private readonly IAsyncEnumerator<RouteHost> hosts;
    private readonly Queue<IPEndPoint> addresses = new();
    private readonly Conversation conversation;
    private readonly CancellationToken stop;

    public Route(IDestinations destinations, SmtpConnector connector, MailDomain domain, ConnectionNeed need, TimeProvider time, CancellationToken stop)
    {
        (this.connector, this.need, this.stop) = (connector, need, stop);
        conversation = new Conversation(time);
        hosts = destinations.HostsAsync(domain, conversation, stop).GetAsyncEnumerator(stop);
    }

    /// <summary>The host tried last.</summary>
    public RouteHost? Host { get; private set; }

    /// <summary>The address tried last.</summary>
    public IPAddress? Address { get; private set; }

    /// <summary>Whether any server took a connection.</summary>
    public bool Connected { get; private set; }

    /// <summary>Why there is no connection, after all were tried: a passing failure if any was one, for then another try may succeed.</summary>
    public Verdict? Failure { get; private set; }

    /// <summary>The next connection, or null when no server is left.</summary>
    public async Task<SmtpConnection?> NextAsync()
    {
        while (await NextAddressAsync() is { } address)
        {
            Address = address.Address;
            var target = new SmtpTarget(address, Host!.Host, need.VerifiedTls ? SmtpTlsMode.Required : SmtpTlsMode.Opportunistic, Host.AllowPrivate);
            var opening = await connector.OpenAsync(target, stop);
            // The steps of several hosts make one conversation: each connect says to whom.
            conversation.Steps.AddRange(opening.Steps.Select(s => s.Step == SmtpSteps.Connect ? s with { Address = $"{Host.Host} [{address.Address}]" } : s));
            if (opening.Connection is { } connection)
            {
                Connected = true;
                return connection;
            }
            Note(Judge(opening.Failure!));
        }
        return null;
    }

    /// <summary>Takes the steps since the last call, for the conversation of the attempt that they belong to.</summary>
    public List<SmtpStep> TakeSteps()
    {
        var steps = conversation.Steps.ToList();
        conversation.Steps.Clear();
        return steps;
    }

    /// <summary>Remembers a failure met on this walk.</summary>
    public void Note(Verdict failure)
    {
        if (Failure is null || Failure.Ends || !failure.Ends) Failure = failure;
    }

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => hosts.DisposeAsync();

    private Verdict Judge(SmtpVerdict failure) =>
        need.VerifiedTls && failure.Fault is SmtpFault.TlsUnavailable or SmtpFault.TlsFailed ? Verdict.TlsRequired(failure.Text) : Verdict.Of(failure);

    private async Task<IPEndPoint?> NextAddressAsync()
    {
        while (addresses.Count == 0)
        {
            if (!await hosts.MoveNextAsync()) return null;
            Host = hosts.Current;
            if (Host.Failure is { } failure) Note(failure);
            var wanted = Host.Addresses.Where(a => a.AddressFamily != need.Avoid).ToArray();
            foreach (var address in wanted.Length > 0 ? wanted : [.. Host.Addresses]) addresses.Enqueue(address);
        }
        return addresses.Dequeue();
    }
}
