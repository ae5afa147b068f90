using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.Api.Received;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Api.Received;

public sealed class StoredReceivedTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 10, 0, 0, 123, TimeSpan.Zero);

    private Installation installation = null!;
    private StoredLists lists = null!;
    private StoredReceived received = null!;
    private Caller acme = null!;
    private Caller stranger = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        lists = new StoredLists(installation);
        received = new StoredReceived(lists, new MessageReader(installation.Database), lists.Ids);
        (acme, stranger) = (await lists.AcmeAsync(), await lists.StrangerAsync());
    }

    public async ValueTask DisposeAsync()
    {
        lists.Dispose();
        await installation.DisposeAsync();
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(5)]
    [InlineData(12)]
    public async Task Every_copy_is_listed_once_whatever_the_pages_also_where_times_and_messages_are_equal(int limit)
    {
        // Four messages, each for three addresses of the account; two of them arrived in the same millisecond.
        for (var n = 0; n < 4; n++) await AddAsync(n + 1, acme, Start.AddSeconds(n / 2), ["one@acme.example", "two@acme.example", "three@acme.example"]);
        await AddAsync(50, stranger, Start, ["stranger@example.org"]);

        var forward = await StoredLists.ForwardAsync(limit, lists.Ids.CursorsOf(TimedList.Received), page => received.ListAsync(acme, page, Cancel));
        var backward = await StoredLists.BackwardAsync(limit, new Place(Start.AddDays(-1), 1), lists.Ids.CursorsOf(TimedList.Received), page => received.ListAsync(acme, page, Cancel));

        Assert.Equal(12, forward.DistinctBy(m => (m.Id, m.ForwardPath)).Count());
        Assert.Equal(forward, backward);
        Assert.Equal(forward.OrderByDescending(m => m.ReceivedAt), forward);
    }

    [Fact]
    public async Task A_copy_shows_its_envelope_and_its_octets()
    {
        await AddAsync(1, acme, Start, ["receipts@acme.example"]);

        var shown = Assert.Single((await received.ListAsync(acme, new PageRequest(20), Cancel)).Data);

        Assert.Equal(("sender@example.org", "receipts@acme.example", "Inbox", "Hello"), (shown.ReversePath, shown.ForwardPath, shown.Mailbox, shown.Subject));
        Assert.Equal(Start, shown.ReceivedAt);
        Assert.NotNull(await received.RawAsync(acme, shown.Id, Cancel));
    }

    [Fact]
    public async Task Another_accounts_message_is_as_if_it_were_not_there()
    {
        await AddAsync(1, acme, Start, ["receipts@acme.example"]);

        Assert.Empty((await received.ListAsync(stranger, new PageRequest(20), Cancel)).Data);
        Assert.Null(await received.RawAsync(stranger, lists.Ids.Make(PublicIdKind.Message, 1), Cancel));
    }

    private async Task AddAsync(long id, Caller owner, DateTimeOffset at, string[] addresses)
    {
        await using var context = installation.Open();
        context.Add(new Body { Id = 10_000 + id, Size = 4, Inline = "body"u8.ToArray() });
        await context.SaveChangesAsync(Cancel);
        context.Add(new Message
        {
            Id = id,
            AccountId = owner.AccountId,
            Direction = MessageDirection.Incoming,
            MessageIdHeader = $"<m{id}@example.org>",
            FromHeader = "sender@example.org",
            Subject = "Hello",
            Size = 12,
            Header = "A: b\r\n\r\n"u8.ToArray(),
            BodyId = 10_000 + id,
            Tags = [],
            Metadata = "{}",
            AcceptedAt = at,
        });
        await context.SaveChangesAsync(Cancel);
        await using var connection = await installation.Database.OpenConnectionAsync(Cancel);
        var places = await InboxPlaces.TakeAsync(connection, owner.AccountId, addresses.Length, Cancel);
        for (var n = 0; n < addresses.Length; n++)
        {
            context.Add(new MailboxMessage
            {
                MailboxId = places.MailboxId,
                Uid = places.FirstUid + n,
                MessageId = id,
                AccountId = owner.AccountId,
                ReceivedAt = at,
                ReversePath = "sender@example.org",
                ForwardPath = addresses[n],
                RemoteAddress = "192.0.2.1",
                Helo = "mx.example.org",
            });
        }
        await context.SaveChangesAsync(Cancel);
    }
}
