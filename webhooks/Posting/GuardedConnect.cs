using System.Net;
using MoxApi.Mail.Connections;

namespace MoxApi.Webhooks.Posting;

/// <summary>Connects to a host name through the dialer, which judges each address that is really connected to.</summary>
internal sealed record GuardedConnect(Dialer Dialer, Func<string, CancellationToken, Task<IPAddress[]>> Resolve, bool AllowPrivate, TimeProvider Time)
{
    // A name with more addresses than this does not need them for one attempt.
    private const int MostAddresses = 4;

    // So that one address that does not answer leaves time for the others.
    private static readonly TimeSpan AddressTime = TimeSpan.FromSeconds(4);

    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancel)
    {
        var host = context.DnsEndPoint.Host;
        IPAddress[] addresses = IPAddress.TryParse(host, out var literal) ? [literal] : await Resolve(host, cancel);
        Exception fault = new IOException($"The name {host} has no address.");
        foreach (var address in addresses.Take(MostAddresses))
        {
            using var turn = new CancellationTokenSource(AddressTime, Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(turn.Token, cancel);
            try
            {
                return await Dialer.ConnectAsync(new(address, context.DnsEndPoint.Port), AllowPrivate, either.Token);
            }
            catch (DialException refused)
            {
                fault = refused;
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                fault = new IOException($"{address} did not answer within {AddressTime.TotalSeconds:0} seconds.");
            }
        }
        throw fault;
    }
}
