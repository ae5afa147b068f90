using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MoxApi.Delivery;
using MoxApi.Delivery.Composing;
using MoxApi.Delivery.Submitting;
using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;
using MailInstallation = MoxApi.Tests.Hosting.Installation;

namespace MoxApi.Tests.Delivery;

/// <summary>
/// Submission and delivery in process, over a real PostgreSQL, a DNS server and mail servers that follow a script. Addresses in DNS look
/// public; the dialer's map leads them to the scripted servers.
/// </summary>
internal sealed class DeliveryBed : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly JsonSerializerOptions Web = new(JsonSerializerDefaults.Web);

    private readonly MailInstallation installation;
    private readonly List<ScriptedSmtpServer> servers = [];
    private readonly Dictionary<IPEndPoint, IPEndPoint> map = [];
    private int addresses;

    private DeliveryBed(MailInstallation installation) => this.installation = installation;

    public FakeDns Dns => installation.Dns;

    public NpgsqlDataSource Database => installation.Database;

    public DeliveryOptions Options { get; init; } = new() { IdleConnection = TimeSpan.FromMilliseconds(500), StopWithin = TimeSpan.FromSeconds(20) };

    public SmtpClientOptions Client { get; init; } = new() { HostName = "mail.acme.example" };

    public LeaseTimes Lease { get; init; } = new();

    /// <summary>The node that is running.</summary>
    public DeliveryNode Node { get; private set; } = null!;

    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>With a node that delivers, unless it is to be started later.</summary>
    /// <param name="postgres">The server.</param>
    /// <param name="retries">The account's schedule.</param>
    /// <param name="options">How much the node does at once.</param>
    /// <param name="client">How it presents itself.</param>
    /// <param name="lease">How long its leases live.</param>
    /// <param name="start">Whether delivery runs.</param>
    public static async Task<DeliveryBed> MakeAsync(
        TestPostgres postgres, string retries = "default", DeliveryOptions? options = null, SmtpClientOptions? client = null, LeaseTimes? lease = null, bool start = true)
    {
        var made = new DeliveryBed(await MailInstallation.CreateAsync(postgres));
        var bed = new DeliveryBed(made.installation) { Options = options ?? made.Options, Client = client ?? made.Client, Lease = lease ?? made.Lease };
        await bed.ExecuteAsync($"UPDATE account SET retry_schedule = '{retries}'");
        await bed.StartNodeAsync(start);
        return bed;
    }

    /// <summary>Starts a node, in place of the one that was stopped.</summary>
    public async Task StartNodeAsync(bool deliver = true) =>
        Node = await DeliveryNode.StartAsync(Database, installation.Settings["Secrets__MasterKey"], Dns.EndPoint, map, Options, Client, Lease, deliver);

    /// <summary>The data model.</summary>
    public MoxApi.Migrations.MailDbContext Open() => installation.Open();

    /// <summary>A mail server with one address, known to DNS by its name only.</summary>
    public ScriptedSmtpServer AddHost(string host, bool ipv6 = false)
    {
        var server = new ScriptedSmtpServer { Greeting = $"220 {host} ESMTP" };
        servers.Add(server);
        Dns.Address(host, NewAddress(ipv6, server.EndPoint));
        return server;
    }

    /// <summary>A domain with one mail server, <c>mx.</c> below it.</summary>
    public ScriptedSmtpServer AddDomain(string domain)
    {
        Dns.Mx(domain, 10, $"mx.{domain}");
        return AddHost($"mx.{domain}");
    }

    /// <summary>A further address of a server.</summary>
    public void AddAddress(string host, ScriptedSmtpServer server, bool ipv6) => Dns.Address(host, NewAddress(ipv6, server.EndPoint));

    /// <summary>A host at whose address nobody answers.</summary>
    public void AddDeadHost(string host, bool ipv6 = false)
    {
        using var closed = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        closed.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        Dns.Address(host, NewAddress(ipv6, (IPEndPoint)closed.LocalEndPoint!));
    }

    /// <summary>A simple message.</summary>
    public Task<SubmissionReceipt> SendAsync(params string[] to) => SendAsync(new MessageDraft { From = null!, Text = "Hello" }, to);

    /// <summary>A simple message whose recipients share the sender's address as return path.</summary>
    public Task<SubmissionReceipt> SendTogetherAsync(params string[] to) => SendAsync(new MessageDraft { From = null!, Text = "Hello" }, to, ReturnPathMode.Sender);

    /// <summary>A test, which never leaves.</summary>
    public Task<SubmissionReceipt> SendTestAsync(params string[] to) => SendAsync(new MessageDraft { From = null!, Text = "Hello" }, to, isTest: true);

    /// <summary>A message of any kind; its author is set here.</summary>
    public async Task<SubmissionReceipt> SendAsync(
        MessageDraft draft, string[] to, ReturnPathMode returnPath = ReturnPathMode.Unique, RequireTls tls = RequireTls.Default, string? from = null, bool isTest = false)
    {
        await using var context = Open();
        return await Node.Get<Submission>().SubmitAsync(new SubmissionRequest
        {
            AccountId = (await context.Accounts.SingleAsync(a => a.Name == "acme", Stop)).Id,
            From = from is null ? null : new Mailbox(MailAddress.Parse(from)),
            Draft = author => draft with { From = author },
            Recipients = [.. to.Select(t => (RecipientKind.To, MailAddress.Parse(t)))],
            Subject = draft.Subject ?? "",
            ReturnPath = returnPath,
            RequireTls = tls,
            IsTest = isTest,
        }, Stop);
    }

    /// <summary>Waits until all recipients of a message have a status.</summary>
    public Task<List<Recipient>> UntilAsync(SubmissionReceipt sent, RecipientStatus status) => UntilAsync(sent, r => r.Status == status);

    /// <summary>Waits until something holds of all recipients of a message.</summary>
    public async Task<List<Recipient>> UntilAsync(SubmissionReceipt sent, Func<Recipient, bool> condition)
    {
        List<Recipient> recipients = [];
        await UntilAsync(async () => (recipients = await RecipientsAsync(sent)).All(condition), () => string.Join('\n', recipients.Select(r => $"{r.Address}: {r.Status}")));
        return recipients;
    }

    /// <summary>Waits until something holds.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, Func<string>? state = null)
    {
        var start = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            if (TimeProvider.System.GetElapsedTime(start) > Patience) throw new TimeoutException($"What was waited for did not come about. {state?.Invoke()}");
            await Task.Delay(TimeSpan.FromMilliseconds(20), TimeProvider.System, Stop);
        }
    }

    public async Task<List<Recipient>> RecipientsAsync(SubmissionReceipt sent)
    {
        await using var context = Open();
        return await context.Recipients.AsNoTracking().Where(r => r.MessageId == sent.MessageId).OrderBy(r => r.Id).ToListAsync(Stop);
    }

    /// <summary>The attempts for a recipient, in order.</summary>
    public async Task<List<Attempt>> AttemptsAsync(long recipient)
    {
        await using var context = Open();
        return await context.Attempts.AsNoTracking().Where(a => a.RecipientId == recipient).OrderBy(a => a.Number).ToListAsync(Stop);
    }

    /// <summary>The attempts for the only recipient of a message.</summary>
    public Task<List<Attempt>> AttemptsAsync(SubmissionReceipt sent) => AttemptsAsync(sent.Recipients.Single().Id);

    public async Task<List<Event>> EventsAsync(long recipient)
    {
        await using var context = Open();
        return await context.Events.AsNoTracking().Where(e => e.RecipientId == recipient).OrderBy(e => e.Sequence).ToListAsync(Stop);
    }

    public static SmtpStep[] Steps(Attempt attempt) => JsonSerializer.Deserialize<SmtpStep[]>(attempt.Conversation, Web)!;

    /// <summary>Lets the next attempts be due now.</summary>
    public async Task HurryAsync(SubmissionReceipt sent)
    {
        await ExecuteAsync($"UPDATE queue q SET due_at = now() FROM recipient r WHERE r.id = q.recipient_id AND r.message_id = {sent.MessageId}");
        foreach (var lane in (await RecipientsAsync(sent)).Select(r => r.LaneId).Distinct()) Node.Loop.Note(lane, TimeProvider.System.GetUtcNow());
    }

    public async Task ExecuteAsync(string statement)
    {
        await using var command = Database.CreateCommand(statement);
        await command.ExecuteNonQueryAsync(Stop);
    }

    public async Task<long> CountAsync(string query)
    {
        await using var command = Database.CreateCommand(query);
        return (long)(await command.ExecuteScalarAsync(Stop))!;
    }

    /// <summary>Asserts that the books balance, that no server was treated against the standard, and ends all.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            if (TestContext.Current.TestState?.Result != TestResult.Failed)
            {
                await installation.AssertBooksBalanceAsync();
                Assert.Empty(servers.SelectMany(s => s.Violations));
            }
        }
        finally
        {
            await Node.DisposeAsync();
            foreach (var server in servers) await server.DisposeAsync();
            await installation.DisposeAsync();
        }
    }

    private string NewAddress(bool ipv6, IPEndPoint to)
    {
        var n = Interlocked.Increment(ref addresses);
        var address = IPAddress.Parse(ipv6 ? $"2600:1f00::{n}" : $"93.184.{n / 250}.{1 + (n % 250)}");
        lock (map) map[new IPEndPoint(address, 25)] = to;
        return address.ToString();
    }
}
