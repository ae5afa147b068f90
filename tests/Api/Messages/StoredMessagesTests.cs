using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages;
using MoxApi.Api.Messages.Searching;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Webhooks.Events;
using Xunit;

namespace MoxApi.Tests.Api.Messages;

public sealed class StoredMessagesTests(TestPostgres postgres) : IAsyncLifetime
{
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 10, 0, 0, 123, TimeSpan.Zero);

    private static readonly MessageFilter All = new();

    private Installation installation = null!;
    private StoredLists lists = null!;
    private StoredMessages messages = null!;
    private Caller acme = null!;
    private Caller stranger = null!;

    private CursorReader Cursors => lists.Ids.CursorsOf(TimedList.Messages);

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        installation = await Installation.CreateAsync(postgres);
        lists = new StoredLists(installation);
        // Nothing is sent here.
        messages = new StoredMessages(null!, lists, new MessageSearch(installation.Database, new SearchLimits()), new MessageReader(installation.Database), new MessageEvents(installation.Database, lists.Ids), lists.Ids, TimeProvider.System, Microsoft.Extensions.Logging.Abstractions.NullLogger<StoredMessages>.Instance);
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
    [InlineData(3)]
    [InlineData(9)]
    public async Task Pages_join_up_without_a_gap_in_both_directions_also_where_times_are_equal(int limit)
    {
        // Three at each of three times: pages begin and end within each.
        for (var n = 0; n < 9; n++) await AddAsync(n + 1, acme, Start.AddSeconds(n / 3));
        await AddAsync(100, stranger, Start);
        await AddAsync(101, acme, Start, MessageDirection.Incoming);
        var expected = Enumerable.Range(1, 9).Reverse().Select(n => Id(n)).ToArray();

        var forward = await StoredLists.ForwardAsync(limit, Cursors, page => messages.ListAsync(acme, All, page, Cancel));
        Assert.Equal(expected, forward.Select(m => m.Id));

        var end = new Place(Start.AddDays(-1), 1);
        var backward = await StoredLists.BackwardAsync(limit, end, Cursors, page => messages.ListAsync(acme, All, page, Cancel));
        Assert.Equal(expected, backward.Select(m => m.Id));
    }

    [Fact]
    public async Task A_walk_is_not_disturbed_by_what_arrives_meanwhile()
    {
        for (var n = 1; n <= 4; n++) await AddAsync(n, acme, Start.AddSeconds(n));
        var first = await messages.ListAsync(acme, All, new PageRequest(2), Cancel);
        await AddAsync(5, acme, Start.AddSeconds(5));

        var second = await messages.ListAsync(acme, All, new PageRequest(2, Cursors(first.Next!)), Cancel);
        var newer = await messages.ListAsync(acme, All, new PageRequest(2, Cursors(first.Previous!), Backward: true), Cancel);

        Assert.Equal([Id(2), Id(1)], second.Data.Select(m => m.Id));
        Assert.False(second.HasMore);
        Assert.Equal([Id(5)], newer.Data.Select(m => m.Id));
    }

    [Fact]
    public async Task A_lists_end_is_an_empty_page_without_cursors()
    {
        var page = await messages.ListAsync(acme, All, new PageRequest(20), Cancel);

        Assert.Empty(page.Data);
        Assert.Equal((false, null, null), (page.HasMore, page.Next, page.Previous));
    }

    [Fact]
    public async Task A_message_is_found_with_its_recipients_their_last_attempt_and_its_octets()
    {
        await AddAsync(1, acme, Start);

        var found = await messages.FindAsync(acme, Id(1), Cancel);

        Assert.Equal(("<m1@acme.example>", "Hello ☺", 12L, Start), (found!.MessageId, found.Subject, found.Size, found.AcceptedAt));
        Assert.Equal("42", found.Metadata["orderId"]);
        var recipient = Assert.Single(found.Recipients);
        Assert.Equal(("jane@example.org", "Delivered", 2), (recipient.Address, recipient.Status.ToString(), recipient.Attempts));
        Assert.Equal((2, 250, "connect"), (recipient.LastAttempt!.Number, recipient.LastAttempt.SmtpCode, recipient.LastAttempt.Conversation.Single().Step));
        Assert.Equal("A: b\r\n\r\nbody", await TextAsync(await messages.RawAsync(acme, Id(1), Cancel)));
        Assert.Equal(["MessageDelivered", "MessageAccepted"], (await messages.EventsAsync(acme, Id(1), new PageRequest(20), Cancel))!.Data.Select(e => e.Type.ToString()));
    }

    [Fact]
    public async Task Another_accounts_message_is_as_if_it_were_not_there()
    {
        await AddAsync(1, acme, Start);

        Assert.Null(await messages.FindAsync(stranger, Id(1), Cancel));
        Assert.Null(await messages.EventsAsync(stranger, Id(1), new PageRequest(20), Cancel));
        Assert.Null(await messages.RawAsync(stranger, Id(1), Cancel));
        Assert.Empty((await messages.ListAsync(stranger, All, new PageRequest(20), Cancel)).Data);
    }

    [Fact]
    public async Task An_id_of_another_kind_is_not_found()
    {
        await AddAsync(1, acme, Start);

        foreach (var id in new[] { lists.Ids.Make(PublicIdKind.Recipient, 1), "msg_" + lists.Ids.Make(PublicIdKind.Recipient, 1)["rcp_".Length..], "msg_1", "1", "" })
        {
            Assert.Null(await messages.FindAsync(acme, id, Cancel));
            Assert.Null(await messages.RawAsync(acme, id, Cancel));
        }
    }

    [Fact]
    public async Task A_messages_events_are_paged_in_both_directions_also_where_times_are_equal()
    {
        await AddAsync(1, acme, Start);
        await using (var context = installation.Open())
        {
            for (var n = 0; n < 6; n++)
                context.Add(new Event { Id = 5000 + n, AccountId = acme.AccountId, Type = EventType.MessageDelayed, At = Start, MessageId = 1, RecipientId = 1001, Sequence = 3 + n });
            await context.SaveChangesAsync(Cancel);
        }
        var whole = (await messages.EventsAsync(acme, Id(1), new PageRequest(100), Cancel))!.Data.Select(e => e.Data.EventId).ToArray();
        Assert.Equal(8, whole.Distinct().Count());

        var forward = await StoredLists.ForwardAsync(3, lists.Ids.CursorsOf(TimedList.Events), async page => (await messages.EventsAsync(acme, Id(1), page, Cancel))!);
        var backward = await StoredLists.BackwardAsync(3, new Place(Start.AddDays(-1), 1), lists.Ids.CursorsOf(TimedList.Events), async page => (await messages.EventsAsync(acme, Id(1), page, Cancel))!);

        Assert.Equal(whole, forward.Select(e => e.Data.EventId));
        Assert.Equal(whole, backward.Select(e => e.Data.EventId));
    }

    [Fact]
    public async Task A_recipients_attempts_are_listed_newest_first_with_their_conversations()
    {
        await AddAsync(1, acme, Start);
        await AddAsync(2, acme, Start);
        var recipient = lists.Ids.Make(PublicIdKind.Recipient, 1001);
        await using (var context = installation.Open())
        {
            for (var n = 3; n <= 7; n++) context.Add(AttemptOf(1, n, 451));
            await context.SaveChangesAsync(Cancel);
        }

        var forward = await StoredLists.ForwardAsync(3, lists.Ids.CursorsOf(TimedList.Attempts), async page => (await messages.AttemptsAsync(acme, Id(1), recipient, page, Cancel))!);
        var backward = await StoredLists.BackwardAsync(3, new Place(Start, 1), lists.Ids.CursorsOf(TimedList.Attempts), async page => (await messages.AttemptsAsync(acme, Id(1), recipient, page, Cancel))!);

        Assert.Equal([7, 6, 5, 4, 3, 2, 1], forward.Select(a => a.Number));
        Assert.Equal([7, 6, 5, 4, 3, 2], backward.Select(a => a.Number));
        Assert.All(forward, a => Assert.Equal(("connect", 220, 31), (a.Conversation.Single().Step, a.Conversation[0].Code, a.Conversation[0].Ms)));
        Assert.Null(await messages.AttemptsAsync(stranger, Id(1), recipient, new PageRequest(20), Cancel));
        Assert.Null(await messages.AttemptsAsync(acme, Id(2), recipient, new PageRequest(20), Cancel));
        Assert.Null(await messages.AttemptsAsync(acme, Id(1), Id(1), new PageRequest(20), Cancel));
    }

    [Fact]
    public async Task A_message_whose_content_was_deleted_is_gone_and_still_listed()
    {
        await AddAsync(1, acme, Start);
        await using (var context = installation.Open())
        {
            await context.Messages.ExecuteUpdateAsync(set => set.SetProperty(m => m.ContentDeletedAt, Start).SetProperty(m => m.Header, Array.Empty<byte>()), Cancel);
            await context.Bodies.ExecuteDeleteAsync(Cancel);
        }

        var gone = await Assert.ThrowsAsync<RefusalException>(() => messages.RawAsync(acme, Id(1), Cancel));
        Assert.Equal((410, "content_deleted"), (gone.Refusal.Status, gone.Refusal.Code));
        Assert.Null(await messages.RawAsync(stranger, Id(1), Cancel));
        Assert.NotNull(await messages.FindAsync(acme, Id(1), Cancel));
        Assert.Single((await messages.ListAsync(acme, All, new PageRequest(20), Cancel)).Data);
    }

    [Theory]
    [InlineData(1, "Scheduled")]
    [InlineData(-1, "Queued")]
    public async Task A_recipient_is_scheduled_until_its_time_and_then_queued(int hours, string status)
    {
        await AddAsync(1, acme, Start);
        var due = TimeProvider.System.GetUtcNow().AddHours(hours);
        await using (var context = installation.Open())
            await context.Recipients.ExecuteUpdateAsync(set => set.SetProperty(r => r.Status, RecipientStatus.Scheduled).SetProperty(r => r.NextAttemptAt, due), Cancel);

        Assert.Equal(status, (await messages.FindAsync(acme, Id(1), Cancel))!.Recipients.Single().Status.ToString());
    }

    private string Id(long id) => lists.Ids.Make(PublicIdKind.Message, id);

    private static async Task<string> TextAsync(RawMessage? raw)
    {
        var http = new Microsoft.AspNetCore.Http.DefaultHttpContext { Response = { Body = new MemoryStream() } };
        await raw!.ExecuteAsync(http);
        return System.Text.Encoding.UTF8.GetString(((MemoryStream)http.Response.Body).ToArray());
    }

    private async Task AddAsync(long id, Caller owner, DateTimeOffset at, MessageDirection direction = MessageDirection.Outgoing)
    {
        await using var context = installation.Open();
        context.Add(new Body { Id = 10_000 + id, Size = 4, Inline = "body"u8.ToArray() });
        await context.SaveChangesAsync(Cancel);
        context.Add(new Message
        {
            Id = id,
            AccountId = owner.AccountId,
            Direction = direction,
            MessageIdHeader = $"<m{id}@acme.example>",
            FromHeader = "receipts@acme.example",
            Subject = "Hello ☺",
            Size = 12,
            Header = "A: b\r\n\r\n"u8.ToArray(),
            BodyId = 10_000 + id,
            Tags = [],
            Metadata = """{"orderId": "42"}""",
            AcceptedAt = at,
        });
        await context.SaveChangesAsync(Cancel);
        context.Add(new Recipient { Id = 1000 + id, MessageId = id, AccountId = owner.AccountId, LaneId = 1, Address = "jane@example.org", BaseAddress = "jane@example.org", Status = RecipientStatus.Delivered, Attempts = 2, EventSequence = 2 });
        context.Add(AttemptOf(id, 1, 451));
        context.Add(AttemptOf(id, 2, 250));
        context.Add(new Event { Id = 2000 + id, AccountId = owner.AccountId, Type = EventType.MessageAccepted, At = at, MessageId = id, RecipientId = 1000 + id, Sequence = 1 });
        context.Add(new Event { Id = 3000 + id, AccountId = owner.AccountId, Type = EventType.MessageDelivered, At = at, MessageId = id, RecipientId = 1000 + id, Sequence = 2, AttemptId = 7000 + id });
        await context.SaveChangesAsync(Cancel);
    }

    private static Attempt AttemptOf(long message, int number, int code) => new()
    {
        Id = 5000 + (number * 1000) + message,
        MessageId = message,
        RecipientId = 1000 + message,
        Number = number,
        At = Start,
        SmtpCode = code,
        Reply = "x",
        Conversation = """[{"step": "connect", "code": 220, "reply": "mx1.example.org", "ms": 31}]""",
    };
}
