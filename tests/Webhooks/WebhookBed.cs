using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Connections;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Webhooks;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Tests.Hosting;
using MoxApi.Webhooks;
using MoxApi.Webhooks.Dispatch;
using MoxApi.Webhooks.Endpoints;
using MoxApi.Webhooks.Events;
using MoxApi.Webhooks.Posting;
using MoxApi.Webhooks.Signing;
using Npgsql;
using WebhookDelivery = MoxApi.Migrations.Webhooks.WebhookDelivery;

namespace MoxApi.Tests.Webhooks;

/// <summary>A database with an account, endpoints and events, and the dispatcher under a clock that stands until it is moved.</summary>
internal sealed class WebhookBed : IAsyncDisposable, IDbContextFactory<MailDbContext>
{
    public static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    private readonly CancellationTokenSource stopping = new();
    private readonly List<WebhookNode> nodes = [];
    private readonly WebhookSender sender;
    private readonly TestPostgres postgres;
    private Task? draining;

    private WebhookBed(TestPostgres postgres, NpgsqlDataSource database, MoxApi.Migrations.Nodes.Installation installation, LeaseTimes lease, bool waitsByClock)
    {
        this.postgres = postgres;
        Database = database;
        Ids = new PublicIds(installation.IdKey);
        Blocks = new IdBlocks(database);
        Secrets = new SecretBox(MasterKey.Parse(Convert.ToBase64String(new byte[32])));
        Session = new NodeSession(database, "test", [WebhookDispatcher.Role], lease, waitsByClock ? Clock : TimeProvider.System, NullLogger<NodeSession>.Instance);
        sender = new(new Dialer(new(), TimeProvider.System), (_, _) => throw new InvalidOperationException("No names here."), Clock);
        Dispatcher = new(database, Session, Ids, Secrets, sender, Metrics, Clock, NullLogger<WebhookDispatcher>.Instance);
        Endpoints = new(this, Ids, Secrets, Session, Clock);
        Events = new(database, Ids);
        Deliveries = new(this, Events, Ids);
        Replays = new(database, Blocks, Session, Clock);
    }

    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 22, 10, 0, 0, 123, TimeSpan.Zero));
    public NpgsqlDataSource Database { get; }
    public PublicIds Ids { get; }
    public IdBlocks Blocks { get; }
    public SecretBox Secrets { get; }
    public NodeSession Session { get; }
    public WebhookDispatcher Dispatcher { get; }
    public WebhookMetrics Metrics { get; } = new();
    public WebhookEndpoints Endpoints { get; }
    public MessageEvents Events { get; }
    public WebhookDeliveries Deliveries { get; }
    public WebhookReplays Replays { get; }
    public long Account { get; set; }

    /// <param name="postgres">The server.</param>
    /// <param name="lease">The times of the session's lease.</param>
    /// <param name="waitsByClock">Whether the loop too waits by the clock that stands; by the system's else, to be woken by <see cref="Advance"/>.</param>
    public static async Task<WebhookBed> MakeAsync(TestPostgres postgres, LeaseTimes? lease = null, bool waitsByClock = false)
    {
        var database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(await postgres.CreateDatabaseAsync()) { PersistSecurityInfo = true });
        var bed = new WebhookBed(postgres, database, await SchemaMigrator.CheckAsync(database, default), lease ?? new(), waitsByClock);
        await bed.Session.StartAsync(default);
        bed.Account = await bed.AddAccountAsync("acme");
        return bed;
    }

    public MailDbContext CreateDbContext()
    {
        var options = new DbContextOptionsBuilder<MailDbContext>();
        MailDbContext.Configure(options, Database);
        return new(options.Options);
    }

    public async Task<long> AddAccountAsync(string name)
    {
        await using var context = CreateDbContext();
        var account = new Account { Name = name, CreatedAt = Clock.GetUtcNow() };
        context.Add(account);
        await context.SaveChangesAsync();
        return account.Id;
    }

    /// <summary>A second node with the role webhooks, under the same clock.</summary>
    public async Task<WebhookNode> AddNodeAsync(string name)
    {
        var node = await WebhookNode.StartAsync(this, name, sender);
        nodes.Add(node);
        return node;
    }

    /// <summary>Registers an endpoint for all events but <c>message.accepted</c>.</summary>
    public async Task<(long Id, WebhookSecret Secret)> AddEndpointAsync(Uri url)
    {
        var made = await Endpoints.CreateAsync(Account, new CreateWebhookRequest { Url = url.AbsoluteUri, AllowPrivate = true }, default);
        if (!Ids.TryRead(PublicIdKind.WebhookEndpoint, made!.Id, out var id) || !WebhookSecret.TryParse(made.Secret, out var secret))
            throw new InvalidOperationException("The webhook was not made as it should.");
        return (id, secret);
    }

    /// <summary>Accepts a message for so many recipients under our session, each with the event that says so.</summary>
    public async Task<(long Message, long[] Recipients)> AcceptAsync(int recipients = 1, string subject = "Your receipt ☺")
    {
        var first = await Blocks.ReserveAsync(2 + (recipients * 3), default);
        var message = new Message
        {
            Id = first,
            AccountId = Account,
            MessageIdHeader = "<m42@acme.example>",
            FromHeader = "receipts@acme.example",
            Subject = subject,
            Size = 10,
            Header = "Subject: x\r\n\r\n"u8.ToArray(),
            BodyId = first + 1,
            Tags = ["receipt"],
            Metadata = """{"orderId": "42"}""",
            AcceptedAt = Clock.GetUtcNow(),
        };
        var rows = Enumerable.Range(0, recipients).Select(n => new AcceptedRecipient(
            new Recipient { Id = first + 2 + (n * 3), MessageId = first, AccountId = Account, LaneId = 1, Address = $"jane{n}@example.org", BaseAddress = $"jane{n}@example.org" }, first + 3 + (n * 3))).ToArray();
        await using var body = new BodyContent("body"u8.ToArray());
        await using var connection = await Database.OpenConnectionAsync();
        await new AcceptWriter().WriteAsync(connection, [new(message, body, rows, Clock.GetUtcNow(), Clock.GetUtcNow().AddDays(2), Session.Id)], default);
        return (first, rows.Select(r => r.Row.Id).ToArray());
    }

    /// <summary>Writes the outcome of an attempt, and wakes the dispatcher.</summary>
    public async Task SettleAsync(RecipientStatus status, params long[] recipients)
    {
        var delivered = status == RecipientStatus.Delivered;
        var first = await Blocks.ReserveAsync(recipients.Length * 2, default);
        var outcomes = recipients.Select((recipient, n) => new Outcome(
            Session.Id,
            new Attempt
            {
                Id = first + (n * 2),
                RecipientId = recipient,
                At = Clock.GetUtcNow(),
                RemoteHost = "mx1.example.org",
                SmtpCode = delivered ? 250 : 0,
                EnhancedCode = delivered ? "2.0.0" : null,
                Reply = delivered ? "2.0.0 Ok: queued" : "mx1.example.org cannot be reached.",
                FailureClass = delivered ? FailureClass.None : FailureClass.Network,
                Conversation = "[]",
            },
            first + (n * 2) + 1,
            status,
            status == RecipientStatus.Delayed ? Clock.GetUtcNow() : null)).ToArray();
        await using var connection = await Database.OpenConnectionAsync();
        await new OutcomeWriter().WriteAsync(connection, outcomes, default);
        Session.Wake(WebhookDispatcher.Role);
    }

    /// <summary>Accepts a message and has it delivered at once.</summary>
    public async Task DeliverAsync(int recipients = 1) => await SettleAsync(RecipientStatus.Delivered, (await AcceptAsync(recipients)).Recipients);

    public void Drain() => draining = Dispatcher.DrainAsync(stopping.Token);

    /// <summary>Stops the dispatcher as Hangfire does, and moves the clock through its grace.</summary>
    public async Task StopAsync()
    {
        await stopping.CancelAsync();
        if (draining is null) return;
        await UntilAsync(() =>
        {
            Clock.Advance(TimeSpan.FromMilliseconds(500));
            return Task.FromResult(draining.IsCompleted);
        });
        await draining;
    }

    /// <summary>Moves the clock and wakes the loops.</summary>
    public void Advance(TimeSpan time)
    {
        Clock.Advance(time);
        Session.Signal(WebhookDispatcher.Role).Set();
        foreach (var node in nodes) node.Session.Signal(WebhookDispatcher.Role).Set();
    }

    public async Task<List<WebhookDelivery>> DeliveriesAsync()
    {
        await using var context = CreateDbContext();
        return await context.WebhookDeliveries.AsNoTracking().OrderBy(d => d.Id).ToListAsync();
    }

    public async Task<WebhookEndpoint> EndpointAsync(long id)
    {
        await using var context = CreateDbContext();
        return await context.WebhookEndpoints.AsNoTracking().SingleAsync(w => w.Id == id);
    }

    public async Task<List<WebhookQueueRow>> QueueAsync()
    {
        await using var context = CreateDbContext();
        return await context.WebhookQueue.AsNoTracking().OrderBy(q => q.DeliveryId).ToListAsync();
    }

    public Task UntilDeliveriesAsync(Func<List<WebhookDelivery>, bool> condition) => UntilAsync(async () => condition(await DeliveriesAsync()));

    public async Task ExecuteAsync(string statement)
    {
        await using var command = Database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync();
    }

    public static async Task UntilAsync(Func<Task<bool>> condition)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience) throw new TimeoutException("What was waited for did not come about.");
            await Task.Delay(TimeSpan.FromMilliseconds(10), TimeProvider.System);
        }
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        foreach (var node in nodes) await node.DisposeAsync();
        await Dispatcher.DisposeAsync();
        Metrics.Dispose();
        await Session.DisposeAsync();
        sender.Dispose();
        Ids.Dispose();
        Blocks.Dispose();
        await Database.DisposeAsync();
        await postgres.DropDatabaseAsync(Database.ConnectionString);
        stopping.Dispose();
    }
}
