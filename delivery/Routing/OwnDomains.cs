using System.Net;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Dns;
using Npgsql;

namespace MoxApi.Delivery.Routing;

/// <summary>This node's SMTP listener.</summary>
/// <param name="HostName">The name by which it is known.</param>
/// <param name="EndPoint">Where to reach it from here, asked when it is needed.</param>
public sealed record OwnListener(string HostName, Func<IPEndPoint> EndPoint);

/// <summary>The domains that this installation is the final destination for. Asked only where DNS says that a domain's mail comes to this node.</summary>
/// <param name="database">Knows the domains.</param>
/// <param name="resolver">For nodes without a listener.</param>
/// <param name="listener">This node's listener; absent where it has none.</param>
internal sealed class OwnDomains(NpgsqlDataSource database, DnsResolver resolver, OwnListener? listener)
{
    private readonly MxRouter router = new(resolver, new MxRouterOptions());

    public OwnListener? Listener => listener;

    /// <summary>Whether a domain is one that accounts have addresses in, or one of return paths.</summary>
    public async Task<bool> ContainsAsync(MailDomain domain, CancellationToken cancel)
    {
        await using var command = database.CreateCommand("SELECT EXISTS (SELECT 1 FROM domain WHERE name = $1 OR return_path_domain = $1)");
        command.Parameters.Add(new() { Value = domain.Ascii });
        return await command.ExecuteScalarAsync(cancel) is true;
    }

    /// <summary>The way to another node that goes by the same host name and has a listener. Nothing loops, for here nobody listens.</summary>
    public Task<MxRoute> RouteAsync(MailDomain domain, CancellationToken cancel) => router.RouteAsync(domain, cancel);
}
