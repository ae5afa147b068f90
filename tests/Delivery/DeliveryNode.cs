using System.Net;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using MoxApi.Delivery;
using MoxApi.Delivery.Queue;
using MoxApi.Mail.Connections;
using MoxApi.Mail.Dns;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Secrets;
using Npgsql;

namespace MoxApi.Tests.Delivery;

/// <summary>What a node has of submission and delivery, with the resident job running.</summary>
internal sealed class DeliveryNode : IAsyncDisposable
{
    private readonly ServiceProvider services;
    private readonly CancellationTokenSource stopping = new();
    private Task draining = Task.CompletedTask;

    private DeliveryNode(ServiceProvider services, NodeSession session) => (this.services, Session) = (services, session);

    public NodeSession Session { get; }

    public DeliveryEngine Engine => Get<DeliveryEngine>();

    public DeliveryLoop Loop => Get<DeliveryLoop>();

    public PublicIds Ids => Get<PublicIds>();

    public static async Task<DeliveryNode> StartAsync(
        NpgsqlDataSource database, string masterKey, IPEndPoint dns, IReadOnlyDictionary<IPEndPoint, IPEndPoint> map,
        DeliveryOptions options, SmtpClientOptions client, LeaseTimes lease, bool deliver)
    {
        var installation = await SchemaMigrator.CheckAsync(database, default);
        var session = new NodeSession(database, "test", Roles.All, lease, TimeProvider.System, NullLogger<NodeSession>.Instance);
        await session.StartAsync(default);
        var services = new ServiceCollection()
            .AddLogging(log => log.ClearProviders())
            .AddSingleton(TimeProvider.System)
            .AddSingleton(database)
            .AddSingleton(session)
            .AddSingleton(new PublicIds(installation.IdKey))
            .AddSingleton(new SecretBox(MasterKey.Parse(masterKey)))
            .AddSingleton<IdBlocks>()
            .AddSingleton<RecipientChanges>()
            .AddSingleton<Lanes>()
            .AddSingleton<RecipientChanges>()
            .AddSingleton<IMemoryCache>(_ => new MemoryCache(new MemoryCacheOptions { SizeLimit = 1000 }))
            .AddDbContextFactory<MailDbContext>(o => MailDbContext.Configure(o, database))
            .AddSingleton(new DialerOptions { EndpointMap = map })
            .AddSingleton<Dialer>()
            .AddSingleton(new DnsResolverOptions { Servers = [dns] })
            .AddSingleton<DnsResolver>()
            .AddSingleton(s => new MxRouter(s.GetRequiredService<DnsResolver>(), new MxRouterOptions { OwnHosts = ["mail.acme.example"] }))
            .AddSubmission()
            .AddDelivery(options, client, null)
            .BuildServiceProvider();
        var node = new DeliveryNode(services, session);
        if (deliver) node.Deliver();
        return node;
    }

    public T Get<T>()
        where T : notnull => services.GetRequiredService<T>();

    /// <summary>Starts delivery.</summary>
    public void Deliver() => draining = Task.Run(() => Loop.DrainAsync(stopping.Token));

    /// <summary>Stops delivery as Hangfire does.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        await draining;
    }

    /// <summary>Ends the node in good order.</summary>
    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        await services.DisposeAsync();
        await Session.DisposeAsync();
        stopping.Dispose();
    }
}
