using System.Text;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using MoxApi.Inbound;
using MoxApi.Inbound.Smtp;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Inbound.Smtp;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Inbound.Mailboxes;

public class MailboxBackendTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_message_is_stored_once_with_an_entry_for_each_recipient()
    {
        await using var site = await Site.StartAsync(postgres, sandboxAddress: "mox@localhost");
        await using var client = await site.BeginAsync("jane@example.org", "sam@example.net", "\"kim k\"@ex.example", "sam@example.net");
        await client.SayStartAsync("DATA", "354 ");
        await client.SendAsync("From: Jane <jane@example.org>", "Subject: hi", "Message-ID: <1@example.org>", "", "body", ".");
        var reply = (await client.ReplyAsync())[0];

        await using var context = site.Open();
        var message = await context.Messages.SingleAsync();
        Assert.Equal($"250 2.0.0 Ok {site.PublicIds.Make(PublicIdKind.Message, message.Id)}", reply);
        Assert.Equal((MessageDirection.Incoming, "<1@example.org>", "Jane <jane@example.org>", "hi", "jane@example.org"),
            (message.Direction, message.MessageIdHeader, message.FromHeader, message.Subject, message.ReversePath));
        var raw = Encoding.ASCII.GetString([.. message.Header, .. await BodyAsync(context, message.BodyId)]);
        Assert.StartsWith("Return-Path: <jane@example.org>\r\nReceived: from client.example ([127.0.0.1])\r\n", raw, StringComparison.Ordinal);
        Assert.EndsWith("\r\nFrom: Jane <jane@example.org>\r\nSubject: hi\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n", raw, StringComparison.Ordinal);
        Assert.Equal(raw.Length, message.Size);

        var entries = await context.MailboxMessages.OrderBy(entry => entry.Uid).ToListAsync();
        Assert.Equal([(1L, "sam@example.net"), (2L, "\"kim k\"@ex.example")], entries.Select(entry => (entry.Uid, entry.ForwardPath)));
        Assert.All(entries, entry => Assert.Equal(
            (message.Id, site.Mox, "jane@example.org", "127.0.0.1", "client.example"),
            (entry.MessageId, entry.AccountId, entry.ReversePath, entry.RemoteAddress, entry.Helo)));
        var inbox = await context.Mailboxes.SingleAsync();
        Assert.Equal((InboxPlaces.Inbox, 3L), (inbox.Name, inbox.UidNext));
    }

    [Theory]
    [InlineData(Body.InlineLimit)]
    [InlineData(Body.InlineLimit + 1)]
    [InlineData(Body.ChunkSize)]
    [InlineData((3 * Body.ChunkSize) + 1)]
    [InlineData(Body.ChunkSize * Body.ChunksAtOnce)]
    [InlineData((Body.ChunkSize * Body.ChunksAtOnce) + 1)]
    public async Task Bodies_of_all_lengths_come_back_octet_for_octet(int length)
    {
        await using var site = await Site.StartAsync(postgres, sandboxAddress: "mox@localhost");
        await using var client = await site.BeginAsync("", "sam@example.net");
        var body = string.Concat(Enumerable.Range(0, (length / 10) + 1).Select(n => $"{n % 100_000_000:D8}\r\n"))[..(length - 2)].TrimEnd('\r', '\n').PadRight(length - 2, 'x') + "\r\n";
        await client.SayStartAsync("DATA", "354 ");
        await client.SendRawAsync($"Subject: long\r\n\r\n{body}.\r\n");
        await client.ExpectStartAsync("250 2.0.0 ");
        await using var context = site.Open();
        Assert.Equal(body, Encoding.ASCII.GetString(await BodyAsync(context, (await context.Messages.SingleAsync()).BodyId)));
    }

    [Fact]
    public async Task Outside_the_sandbox_mail_is_taken_for_addresses_of_accounts_alone()
    {
        await using var site = await Site.StartAsync(postgres, sandboxAddress: null);
        await using var client = await site.BeginAsync("jane@example.org", "MOX@localhost", "kim@LOCALHOST");
        await client.SayStartAsync("RCPT TO:<sam@localhost>", "550 5.1.1 ");
        await client.SayStartAsync("RCPT TO:<mox@example.org>", "550 5.1.1 ");
        await client.SayStartAsync("RCPT TO:<x-temperror@localhost>", "550 5.1.1 ");
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync("Subject: two accounts\r\n\r\nx\r\n.", "250 ");
        await using var context = site.Open();
        var messages = await context.Messages.OrderBy(message => message.AccountId).ToListAsync();
        Assert.Equal([site.Mox, site.Kim], messages.Select(message => message.AccountId));
        Assert.Single(messages.Select(message => message.BodyId).Distinct());
        var entries = await context.MailboxMessages.OrderBy(entry => entry.AccountId).ToListAsync();
        Assert.Equal([(site.Mox, "MOX@localhost"), (site.Kim, "kim@localhost")], entries.Select(entry => (entry.AccountId, entry.ForwardPath)));
    }

    [Fact]
    public async Task The_sandbox_refuses_what_it_should()
    {
        await using var site = await Site.StartAsync(postgres, sandboxAddress: "mox@localhost");
        await using var client = await site.BeginAsync("jane@example.org", "sam@anywhere.example");
        await client.SayStartAsync("RCPT TO:<x-temperror@example.net>", "451 4.3.0 ");
        await client.SayStartAsync("RCPT TO:<permerror@example.net>", "550 5.0.0 ");
        await client.SayStartAsync("RCPT TO:<user452@example.net>", "452 4.3.1 ");
    }

    [Fact]
    public async Task Messages_that_arrive_at_once_get_UIDs_without_gaps()
    {
        await using var site = await Site.StartAsync(postgres, sandboxAddress: "mox@localhost");
        await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            await using var client = await site.BeginAsync("jane@example.org", "sam@example.net", "kim@example.net");
            await client.SayStartAsync("DATA", "354 ");
            await client.SayStartAsync("Subject: x\r\n\r\nx\r\n.", "250 ");
        }));
        await using var context = site.Open();
        Assert.Equal(Enumerable.Range(1, 16).Select(n => (long)n), await context.MailboxMessages.Select(entry => entry.Uid).Order().ToListAsync());
    }

    [Fact]
    public async Task A_header_too_long_is_552_and_nothing_is_stored()
    {
        await using var site = await Site.StartAsync(postgres, sandboxAddress: "mox@localhost");
        await using var client = await site.BeginAsync("jane@example.org", "sam@example.net");
        await client.SayStartAsync("DATA", "354 ");
        await client.SayStartAsync(string.Concat(Enumerable.Repeat("X: " + new string('x', 900) + "\r\n", 300)) + "\r\nbody\r\n.", "552 5.3.4 ");
        await using var context = site.Open();
        Assert.Equal((0, 0), (await context.Messages.CountAsync(), await context.Bodies.CountAsync()));
    }

    private static async Task<byte[]> BodyAsync(MailDbContext context, long id)
    {
        var body = await context.Bodies.SingleAsync(body => body.Id == id);
        var chunks = await context.BodyChunks.Where(chunk => chunk.BodyId == id).OrderBy(chunk => chunk.Number).Select(chunk => chunk.Bytes).ToListAsync();
        Assert.Equal(body.Inline is null, chunks.Count > 0);
        var octets = body.Inline ?? [.. chunks.SelectMany(chunk => chunk)];
        Assert.Equal(body.Size, octets.Length);
        return octets;
    }

    /// <summary>The listener over a database with the accounts of mox@localhost and kim@localhost.</summary>
    private sealed class Site(NpgsqlDataSource database, SmtpListenerHost host, PublicIds publicIds) : IAsyncDisposable
    {
        public PublicIds PublicIds => publicIds;

        public long Mox { get; private set; }

        public long Kim { get; private set; }

        public static async Task<Site> StartAsync(TestPostgres postgres, string? sandboxAddress)
        {
            var database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync());
            var publicIds = new PublicIds(new byte[16]);
            var host = await SmtpListenerHost.StartAsync(services => services
                .AddSingleton(database)
                .AddSingleton(publicIds)
                .AddSingleton<IdBlocks>()
                .AddDbContextFactory<MailDbContext>(options => MailDbContext.Configure(options, database))
                .AddInbound(new SmtpOptions { HostName = "mx.example.org" }, sandboxAddress));
            var site = new Site(database, host, publicIds);
            await site.FillAsync();
            return site;
        }

        public MailDbContext Open()
        {
            var options = new DbContextOptionsBuilder<MailDbContext>();
            MailDbContext.Configure(options, database);
            return new MailDbContext(options.Options);
        }

        public async Task<Transcript> BeginAsync(string from, params string[] to)
        {
            var client = await host.ConnectAsync();
            await client.SayStartAsync("EHLO client.example", "250 ");
            await client.SayAsync($"MAIL FROM:<{from}>", "250 2.1.0 Ok");
            foreach (var recipient in to) await client.SayAsync($"RCPT TO:<{recipient}>", "250 2.1.5 Ok");
            return client;
        }

        public async ValueTask DisposeAsync()
        {
            await host.DisposeAsync();
            await database.DisposeAsync();
        }

        private async Task FillAsync()
        {
            await using var context = Open();
            var mox = context.Add(new Account { Name = "mox" }).Entity;
            var kim = context.Add(new Account { Name = "kim" }).Entity;
            await context.SaveChangesAsync();
            var domain = context.Add(new Domain { AccountId = mox.Id, Name = "localhost", ReturnPathDomain = "bounces.localhost" }).Entity;
            await context.SaveChangesAsync();
            context.Add(new Address { AccountId = mox.Id, DomainId = domain.Id, LocalPart = "mox" });
            context.Add(new Address { AccountId = kim.Id, DomainId = domain.Id, LocalPart = "kim" });
            await context.SaveChangesAsync();
            (Mox, Kim) = (mox.Id, kim.Id);
        }
    }
}
