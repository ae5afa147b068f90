using System.Net;
using MoxApi.Bench.Loading;
using MoxApi.Tests.Peers;

namespace MoxApi.Bench.Peers;

/// <summary>
/// A Postfix as Debian configures it that relays to the sink: what it is told besides is where the domains' servers are, since it would ask
/// the system's DNS.
/// </summary>
internal sealed class RelayingPostfix : IAsyncDisposable
{
    private readonly PostfixProcess process;

    private RelayingPostfix(PostfixProcess process) => this.process = process;

    /// <summary>Where it listens for SMTP.</summary>
    public IPEndPoint EndPoint => process.EndPoint;

    /// <summary>The process id of its master.</summary>
    public int Id => process.Id;

    /// <summary>Starts one.</summary>
    /// <param name="servers">The servers of the domains in their order, each its own destination to Postfix.</param>
    /// <param name="folder">Where its own folder is made, on the same disk as the program's data. Postfix has sockets there, whose paths must be short.</param>
    public static async Task<RelayingPostfix> StartAsync(IReadOnlyList<IPEndPoint> servers, string folder)
    {
        var process = new PostfixProcess("mail.acme.example", folder);
        var started = new RelayingPostfix(process);
        try
        {
            var map = Path.Combine(process.MakeFolder("etc"), "transport");
            await File.WriteAllLinesAsync(map, servers.Select((server, n) => $"{Messages.Domain(n)} smtp:[{server.Address}]:{server.Port}"));
            await process.StartAsync($"""
                mynetworks = 127.0.0.0/8
                smtpd_relay_restrictions = permit_mynetworks permit_sasl_authenticated defer_unauth_destination
                smtp_tls_security_level = may
                smtp_tls_session_cache_database =
                transport_maps = texthash:{map}
                """, "smtp unix - - n - - smtp");
            return started;
        }
        catch
        {
            await started.DisposeAsync();
            throw;
        }
    }

    public ValueTask DisposeAsync() => process.DisposeAsync();
}
