using System.Net;
using System.Net.Sockets;
using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;

namespace MoxApi.Delivery.Routing;

/// <summary>What a connection must be fit for.</summary>
/// <param name="VerifiedTls">TLS with a certificate verified for the host (RFC 8689).</param>
/// <param name="Avoid">An address family not to use, where there is another.</param>
internal readonly record struct ConnectionNeed(bool VerifiedTls, AddressFamily? Avoid);

/// <summary>
/// One walk over the mail servers of a destination, host by host and address by address, each tried once (RFC 5321 §5.1), up to a limit. A
/// connection that breaks continues the walk where it stands.
/// </summary>
internal sealed class Route : IAsyncDisposable
{
    // RFC 5321 §5.1: "the SMTP client SHOULD try at least two addresses".
    private const int AtLeast = 2;

    private readonly SmtpConnector connector;
    private readonly ConnectionNeed need;
    private readonly IAsyncEnumerator<RouteHost> hosts;
    private readonly Queue<IPEndPoint> addresses = new();
    private readonly Conversation conversation;
    private readonly DeliveryOptions options;
    private readonly TimeProvider time;
    private readonly CancellationToken giveUp;
    private readonly CancellationToken stop;
    private bool connected;
    private bool lackedTls;
    private int tried;
    private long since;

    /// <param name="destinations">Finds the servers.</param>
    /// <param name="connector">Connects to them.</param>
    /// <param name="domain">The destination.</param>
    /// <param name="need">What the connection must be fit for.</param>
    /// <param name="options">How far to go.</param>
    /// <param name="time">The clock of the conversation.</param>
    /// <param name="giveUp">Ends the walk as if every server's time were over.</param>
    /// <param name="stop">Ends it without a result.</param>
    public Route(
        IDestinations destinations, SmtpConnector connector, MailDomain domain, ConnectionNeed need, DeliveryOptions options, TimeProvider time,
        CancellationToken giveUp, CancellationToken stop)
    {
        (this.connector, this.need, this.options, this.time, this.giveUp, this.stop) = (connector, need, options, time, giveUp, stop);
        BeginAttempt();
        conversation = new Conversation(time);
        hosts = destinations.HostsAsync(domain, conversation, stop).GetAsyncEnumerator(stop);
    }

    /// <summary>The host tried last.</summary>
    public RouteHost? Host { get; private set; }

    /// <summary>The address tried last.</summary>
    public IPAddress? Address { get; private set; }

    /// <summary>
    /// Whether a walk that found no server says that nobody finds one. Not where a server took a connection, or was there and its TLS alone was amiss, and not
    /// where an address family was avoided: what needs less may find one.
    /// </summary>
    public bool HoldsForAll => !connected && !lackedTls && need.Avoid is null;

    /// <summary>Why there is no connection, after all were tried: a passing failure if any was one, for then another try may succeed.</summary>
    public Verdict? Failure { get; private set; }

    /// <summary>An attempt begins that may go on over the connection of the one before: the limits hold for each.</summary>
    public void BeginAttempt() => (tried, since) = (0, time.GetTimestamp());

    /// <summary>The next connection, or null when no server is left, or enough were tried.</summary>
    public async Task<SmtpConnection?> NextAsync()
    {
        while (!giveUp.IsCancellationRequested && await NextAddressAsync() is { } address && MayTryAnother())
        {
            tried++;
            Address = address.Address;
            var target = new SmtpTarget(address, Host!.Host, need.VerifiedTls ? SmtpTlsMode.Required : SmtpTlsMode.Opportunistic, Host.AllowPrivate);
            var opening = await connector.OpenAsync(target, stop, giveUp);
            // The steps of several hosts make one conversation: each connect says to whom.
            conversation.Steps.AddRange(opening.Steps.Select(s => s.Step == SmtpSteps.Connect ? s with { Address = $"{Host.Host} [{address.Address}]" } : s));
            if (opening.Connection is { } connection)
            {
                connected = true;
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
        lackedTls |= failure.Class == FailureClass.Tls;
        if (Failure is null || Failure.Ends || !failure.Ends) Failure = failure;
    }

    /// <summary>Leaves out the other addresses of the host that was tried last: they are the same server.</summary>
    public void PassOver() => addresses.Clear();

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => hosts.DisposeAsync();

    private Verdict Judge(SmtpVerdict failure) =>
        need.VerifiedTls && failure is { Fault: SmtpFault.TlsUnavailable or SmtpFault.TlsFailed, MayPass: false } ? Verdict.TlsRequired(failure.Text) : Verdict.Of(failure);

    private bool MayTryAnother()
    {
        if (tried < options.MaxAddressesPerAttempt && (tried < AtLeast || time.GetElapsedTime(since) < options.NextAddressWithin)) return true;
        conversation.Add("limit", conversation.Now, $"{tried} addresses were tried; what is left has to wait for another attempt.");
        return false;
    }

    private async Task<IPEndPoint?> NextAddressAsync()
    {
        while (addresses.Count == 0)
        {
            if (!await hosts.MoveNextAsync()) return null;
            Host = hosts.Current;
            if (Host.Failure is { } failure)
            {
                Note(failure);
                // A name server that does not answer takes about as long as a mail server that does not.
                if (!failure.Ends) tried++;
                if (!MayTryAnother()) return null;
            }
            var wanted = Host.Addresses.Where(a => a.AddressFamily != need.Avoid).ToArray();
            foreach (var address in wanted.Length > 0 ? wanted : [.. Host.Addresses]) addresses.Enqueue(address);
        }
        return addresses.Dequeue();
    }
}
