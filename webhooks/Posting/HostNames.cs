using System.Net;
using MoxApi.Mail.Dns;

namespace MoxApi.Webhooks.Posting;

/// <summary>
/// The addresses of endpoints' host names: from DNS by our own resolver, which waits without holding a thread however many names hang; and
/// from the system for what DNS does not know, such as <c>localhost</c>, the names of <c>/etc/hosts</c> and those of containers.
/// </summary>
internal sealed class HostNames(DnsResolver resolver) : IDisposable
{
    // The system's lookups hold a thread each.
    private readonly SemaphoreSlim system = new(8);

    /// <exception cref="IOException">There is no answer for now.</exception>
    /// <exception cref="System.Net.Sockets.SocketException">The system does not know the name either.</exception>
    public async Task<IPAddress[]> AddressesAsync(string host, CancellationToken cancel)
    {
        // RFC 6761 §6.3 keeps localhost out of DNS, and a name without a dot is nobody's there.
        if (!host.Contains('.', StringComparison.Ordinal)) return await AskSystemAsync(host, cancel);
        var answer = await resolver.AddressesAsync(host, cancel);
        return answer.Status switch
        {
            DnsStatus.Found => [.. answer.Records],
            DnsStatus.TemporaryFailure => throw new IOException($"The name {host} cannot be looked up: {answer.Fault}"),
            _ => await AskSystemAsync(host, cancel),
        };
    }

    /// <inheritdoc/>
    public void Dispose() => system.Dispose();

    private async Task<IPAddress[]> AskSystemAsync(string host, CancellationToken cancel)
    {
        await system.WaitAsync(cancel);
        try
        {
            return await System.Net.Dns.GetHostAddressesAsync(host, cancel);
        }
        finally
        {
            system.Release();
        }
    }
}
