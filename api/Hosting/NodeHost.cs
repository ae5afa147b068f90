using Hangfire;
using Hangfire.PostgreSql;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Options;
using MoxApi.Api.Access;
using MoxApi.Api.Accounts;
using MoxApi.Api.Health;
using MoxApi.Api.Jobs;
using MoxApi.Api.Messages;
using MoxApi.Api.Messages.Searching;
using MoxApi.Api.Received;
using MoxApi.Api.Suppressions;
using MoxApi.Api.Webhooks;
using MoxApi.Delivery;
using MoxApi.Delivery.Routing;
using MoxApi.Inbound;
using MoxApi.Mail.Connections;
using MoxApi.Mail.Dns;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations;
using MoxApi.Migrations.Cluster;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Pausing;
using MoxApi.Migrations.Retention;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Writing;
using MoxApi.Webhooks;
using Npgsql;
using IPAddress = System.Net.IPAddress;
using IPEndPoint = System.Net.IPEndPoint;

namespace MoxApi.Api.Hosting;

/// <summary>
/// A running node, from its database to its listeners. What it starts is stopped in the opposite order: listeners, then jobs, which let what is
/// in flight finish, then writers, the session, and PostgreSQL last.
/// </summary>
internal static class NodeHost
{
    /// <summary>Runs until it is stopped.</summary>
    /// <param name="settings">What to run.</param>
    /// <param name="configuration">Where the settings came from, for what ASP.NET Core reads itself.</param>
    /// <param name="started">Called when every listener answers.</param>
    /// <param name="stop">Stops it.</param>
    public static async Task RunAsync(Settings settings, IConfiguration configuration, Func<BoundAddresses, Task> started, CancellationToken stop)
    {
        // Hangfire's workers block a thread each while they start; with few cores the pool would grow too slowly for the listeners.
        ThreadPool.SetMinThreads(64, 64);
        using var loggers = LoggerFactory.Create(logging => Logs.Configure(logging, configuration));
        await using var database = await Database.OpenAsync(settings, ClusterUse.Server, loggers, stop);
        var installation = settings.Node.Has(Roles.Migrate)
            ? await SchemaMigrator.MigrateAsync(database.Source, stop)
            : await SchemaMigrator.CheckAsync(database.Source, stop);
        using var publicIds = new PublicIds(installation.IdKey);
        var secrets = await OpenSecretsAsync(settings, database.Source, stop);
        if (settings.IsSandbox) await Sandbox.PrepareAsync(database.Source, secrets, stop);
        else await Sandbox.RefuseAsync(database.Source, stop);
        await using var session = new NodeSession(
            database.Source, settings.Node.CleanName, settings.Node.Effective, LeaseTimes.OfLength(settings.Node.Lease), TimeProvider.System, loggers.CreateLogger<NodeSession>());
        await session.StartAsync(stop);
        var app = Build(settings, configuration, database, session, publicIds, secrets);
        await using (app)
        {
            await StartAsync(app, started, stop);
            await app.WaitForShutdownAsync(stop);
        }
    }

    // Where one part does not start, as a listener whose port is taken, the others run already, and nobody else stops them.
    private static async Task StartAsync(WebApplication app, Func<BoundAddresses, Task> started, CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop);
            await started(Addresses(app.Services));
        }
        catch
        {
            // Whatever comes of that, why it did not start is what has to be told.
            await app.StopAsync(CancellationToken.None).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }
    }

    /// <summary>What the secrets in the database are sealed with.</summary>
    /// <exception cref="SecretException">There is no key, or another one than theirs.</exception>
    public static async Task<SecretBox> OpenSecretsAsync(Settings settings, NpgsqlDataSource database, CancellationToken stop)
    {
        var secrets = new SecretBox(settings.Secrets.MasterKey is { } key ? MasterKey.Parse(key) : MasterKey.ReadOrCreate(settings.DataFolder));
        await secrets.CheckAsync(database, stop);
        return secrets;
    }

    // Port 0 is a free one, so what was bound is asked for. Kestrel keeps the order of the listeners.
    private static BoundAddresses Addresses(IServiceProvider services)
    {
        var settings = services.GetRequiredService<Settings>();
        var bound = services.GetRequiredService<IServer>().Features.GetRequiredFeature<IServerAddressesFeature>().Addresses.Select(a => new Uri(a).Authority).ToArray();
        var (http, metrics) = (settings.HttpEndPoints.Count, settings.MetricsEndPoints.Count);
        return new BoundAddresses(settings, bound[..http], bound[http..^metrics], bound[^metrics..]);
    }

    // A listener on all addresses answers on loopback.
    private static IPEndPoint FromHere(string bound)
    {
        var endPoint = IPEndPoint.Parse(bound);
        if (endPoint.Address.Equals(IPAddress.Any)) return new(IPAddress.Loopback, endPoint.Port);
        return endPoint.Address.Equals(IPAddress.IPv6Any) ? new(IPAddress.IPv6Loopback, endPoint.Port) : endPoint;
    }

    private static WebApplication Build(Settings settings, IConfiguration configuration, Database database, NodeSession session, PublicIds publicIds, SecretBox secrets)
    {
        // Empty: the others watch the current directory and everything below it for changes of settings.
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions { ApplicationName = "MoxApi.Api", EnvironmentName = "Production" });
        builder.Configuration.AddConfiguration(configuration);
        Logs.Configure(builder.Logging, configuration);
        builder.Services.Configure<HostOptions>(o => o.ShutdownTimeout = settings.Delivery.StopWithin + TimeSpan.FromSeconds(15));
        builder.Services.AddRouting();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(kestrel => kestrel.Listen(settings));
        AddShared(builder.Services, settings, database, session, publicIds, secrets);
        AddRoles(builder.Services, settings);
        AddJobs(builder.Services, settings, database, session);
        builder.Services.AddHealth();
        builder.Services.AddHostedService<IdleMemory>();
        var app = builder.Build();
        app.UseTrustedProxies(settings);
        app.MapHealth();
        if (settings.Node.Has(Roles.Api))
        {
            app.UseLocalHostsOnly(settings);
            app.MapMoxApi();
            app.MapMetrics();
            app.MapDashboard();
        }
        return app;
    }

    internal static void AddShared(IServiceCollection services, Settings settings, Database database, NodeSession session, PublicIds publicIds, SecretBox secrets) => services
        .AddSingleton(settings)
        .AddSingleton(TimeProvider.System)
        .AddSingleton(database.Source)
        .AddSingleton(session)
        .AddSingleton(publicIds)
        .AddSingleton(secrets)
        .AddSingleton<IdBlocks>()
        .AddSingleton<Lanes>()
        .AddSingleton<RecipientChanges>()
        .AddSingleton(new BytesInFlight(settings.Node.MaxBytesInFlight))
        .AddSingleton<IMemoryCache>(_ => new MemoryCache(new MemoryCacheOptions { SizeLimit = 100_000 }))
        .AddDbContextFactory<MailDbContext>(options => MailDbContext.Configure(options, database.Source))
        .AddSingleton(new DialerOptions
        {
            AllowNetworks = settings.AllowedNetworks,
            EndpointMap = settings.EndPointMap,
        })
        .AddSingleton<Dialer>()
        .AddSingleton(new DnsResolverOptions { Servers = settings.Resolver.EndPoints, MaximumConcurrentQuestions = Math.Max(10_000, 2 * settings.Delivery.MaxConnections) })
        .AddSingleton<DnsResolver>()
        .AddSingleton(s => new MxRouter(s.GetRequiredService<DnsResolver>(), new MxRouterOptions { OwnHosts = [settings.Node.HostName] }));

    internal static void AddRoles(IServiceCollection services, Settings settings)
    {
        services.AddSubmission().AddAdministration();
        if (settings.Node.Has(Roles.Api))
        {
            services.AddMoxApiEndpoints()
                .AddWebhookManagement()
                .AddSingleton<LoginBudget>()
                .AddSingleton<LoginLine>()
                .AddSingleton<KeyUsage>()
                .AddHostedService(s => s.GetRequiredService<KeyUsage>())
                .AddSingleton<ICredentials, StoredCredentials>()
                .AddSingleton<MessageReader>()
                .AddSingleton(new SearchLimits())
                .AddSingleton<MessageSearch>()
                .AddSingleton<IScheduledMessages, ScheduledMessages>()
                .AddSingleton<IMessages, StoredMessages>()
                .AddSingleton<IReceivedMessages, StoredReceived>()
                .AddSingleton<ISuppressions, StoredSuppressions>()
                .AddSingleton<IWebhooks, StoredWebhooks>()
                .AddSingleton<IWebhookDeliveries, StoredDeliveries>();
            settings.Api.AllowHttpWebhooks = settings.IsSandbox;
            services.AddSingleton(Options.Create(settings.Api));
        }
        if (settings.Node.Has(Roles.Delivery))
        {
            var client = new SmtpClientOptions { HostName = settings.IsSandbox ? "localhost" : settings.Node.HostName, Timeouts = settings.Timeouts };
            services.AddDelivery(settings.Delivery, client, settings.IsSandbox ? ("localhost", settings.SmtpEndPoints[0]) : null);
        }
        if (settings.Node.Has(Roles.Delivery) && settings.Node.Has(Roles.Inbound) && settings.SmtpEndPoints.Count > 0)
            services.AddSingleton(s => new OwnListener(settings.Node.HostName, () => FromHere(Addresses(s).Smtp[0])));
        if (settings.Node.Has(Roles.Webhooks)) services.AddWebhookDispatch();
        if (settings.Node.Has(Roles.Inbound)) services.AddInbound(settings.Smtp, settings.IsSandbox ? Sandbox.Address : null);
    }

    private static void AddJobs(IServiceCollection services, Settings settings, Database database, NodeSession session)
    {
        var residents = new[] { Roles.Delivery, Roles.Webhooks }.Count(settings.Node.Has);
        var connection = new NpgsqlConnectionStringBuilder(database.ConnectionString) { MaxPoolSize = residents + 12, MaxAutoPrepare = 0, ApplicationName = $"moxapi {session.Node} hangfire" };
        services.AddHangfire(hangfire => hangfire.UseSimpleAssemblyNameTypeSerializer().UseRecommendedSerializerSettings().UsePostgreSqlStorage(
            storage => storage.UseNpgsqlConnection(connection.ConnectionString),
            new PostgreSqlStorageOptions
            {
                SchemaName = SchemaMigrator.HangfireSchema,
                PrepareSchemaIfNecessary = false,
                EnableLongPolling = true,
                QueuePollInterval = TimeSpan.FromSeconds(15),
                UseSlidingInvisibilityTimeout = true,
                InvisibilityTimeout = TimeSpan.FromSeconds(60),
                // Locks are held for a statement or two, except by a program that was killed meanwhile.
                DistributedLockTimeout = TimeSpan.FromSeconds(30),
            }));
        services.AddHangfireServer(server =>
        {
            server.ServerName = session.Node;
            server.Queues = [ResidentJobs.QueueOf(session.Node), ResidentJobs.Chores];
            server.WorkerCount = residents + 2;
            // Jobs hear of the stop only after StopTimeout: ours are to finish what is in flight from the start, within ShutdownTimeout.
            server.StopTimeout = TimeSpan.Zero;
            server.ShutdownTimeout = settings.Delivery.StopWithin + TimeSpan.FromSeconds(5);
        });
        services.AddHostedService(s => s.GetRequiredService<ResidentJobs>());
        // Chores are done by any node, whatever its roles.
        services.AddSingleton(settings.Pause).AddSingleton<PauseWatch>().AddSingleton(settings.Retention).AddSingleton<RetentionRun>();
    }
}

/// <summary>Where a node listens.</summary>
/// <param name="Settings">What it runs.</param>
/// <param name="Http">Addresses with ports, for HTTP.</param>
/// <param name="Smtp">Addresses with ports, for SMTP.</param>
/// <param name="Metrics">Addresses with ports, for metrics and health alone.</param>
internal sealed record BoundAddresses(Settings Settings, IReadOnlyList<string> Http, IReadOnlyList<string> Smtp, IReadOnlyList<string> Metrics);
