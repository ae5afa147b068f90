using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Searching;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;
using Message = MoxApi.Migrations.Messages.Message;
using RecipientStatus = MoxApi.OpenApi.Messages.RecipientStatus;
using StoredStatus = MoxApi.Migrations.Messages.RecipientStatus;

namespace MoxApi.Tests.Api.Messages;

public sealed class MessageSearchTests(TestPostgres postgres) : IAsyncLifetime
{
    private const long Account = 7;
    private static readonly DateTimeOffset Start = new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero);

    private Installation installation = null!;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => installation = await Installation.CreateAsync(postgres);

    public async ValueTask DisposeAsync() => await installation.DisposeAsync();

    [Fact]
    public async Task Each_filter_finds_its_messages_newest_first_and_those_of_no_other_account()
    {
        await AddAsync(1, "Your receipt", ["receipt"], ("jane@example.org", StoredStatus.Delivered));
        await AddAsync(2, "Password RESET", ["reset", "urgent"], ("jane+x@example.org", StoredStatus.Failed), ("sam@example.net", StoredStatus.Delivered));
        await AddAsync(3, "Ünïcode ☺ receipt", ["receipt", "urgent"], ("sam@example.net", StoredStatus.Queued));
        await AddAsync(4, "Theirs: receipt", ["receipt"], 8, ("jane@example.org", StoredStatus.Delivered));

        await FindsAsync(new(), 3, 2, 1);
        await FindsAsync(new() { Tag = "receipt" }, 3, 1);
        await FindsAsync(new() { Tag = "Receipt" });
        await FindsAsync(new() { Subject = "RECEIPT" }, 3, 1);
        await FindsAsync(new() { Subject = "ssword re" }, 2);
        await FindsAsync(new() { Subject = "üNÏCODE ☺" }, 3);
        await FindsAsync(new() { Recipient = "jane@example.org" }, 2, 1);
        await FindsAsync(new() { Status = RecipientStatus.Delivered }, 2, 1);
        await FindsAsync(new() { Status = RecipientStatus.Canceled });
        await FindsAsync(new() { From = Start.AddSeconds(2) }, 3, 2);
        await FindsAsync(new() { To = Start.AddSeconds(2) }, 1);
    }

    [Fact]
    public async Task Filters_combine_and_a_recipient_is_the_one_in_the_state()
    {
        await AddAsync(1, "Your receipt", ["receipt"], ("jane@example.org", StoredStatus.Failed), ("sam@example.net", StoredStatus.Delivered));
        await AddAsync(2, "Your receipt", ["receipt"], ("jane@example.org", StoredStatus.Delivered), ("sam@example.net", StoredStatus.Failed));
        await AddAsync(3, "Your receipt", ["other"], ("jane@example.org", StoredStatus.Failed));
        await AddAsync(4, "Another", ["receipt"], ("jane@example.org", StoredStatus.Failed), ("jane+2@example.org", StoredStatus.Delivered));

        var jane = new MessageFilter { Recipient = "jane@example.org" };
        await FindsAsync(jane with { Status = RecipientStatus.Failed }, 4, 3, 1);
        await FindsAsync(jane with { Status = RecipientStatus.Delivered }, 4, 2);
        await FindsAsync(jane with { Status = RecipientStatus.Failed, Tag = "receipt" }, 4, 1);
        await FindsAsync(jane with { Status = RecipientStatus.Failed, Tag = "receipt", Subject = "your" }, 1);
        await FindsAsync(new() { Status = RecipientStatus.Failed, Subject = "your" }, 3, 2, 1);
        await FindsAsync(new() { Tag = "receipt", Subject = "receipt" }, 2, 1);
        await FindsAsync(jane with { Tag = "receipt", From = Start.AddSeconds(2), To = Start.AddSeconds(4) }, 2);
    }

    [Theory]
    [InlineData("50%", 1)]
    [InlineData("a_b", 2)]
    [InlineData(@"c\d", 3)]
    [InlineData("%%%")]
    public async Task What_means_something_in_a_pattern_stands_for_itself(string subject, params int[] found)
    {
        await AddAsync(1, "Now 50% off", [], ("a@example.org", StoredStatus.Queued));
        await AddAsync(2, "a_b", [], ("a@example.org", StoredStatus.Queued));
        await AddAsync(3, @"c\d", [], ("a@example.org", StoredStatus.Queued));
        await AddAsync(4, "Now 501 off, axb, cd", [], ("a@example.org", StoredStatus.Queued));

        await FindsAsync(new() { Subject = subject }, found);
    }

    [Fact]
    public async Task What_a_worker_has_in_hand_is_delivering_and_still_in_the_state_before()
    {
        await AddAsync(1, "One", ["receipt"], ("a@example.org", StoredStatus.Queued));
        await AddAsync(2, "Two", [], ("a@example.org", StoredStatus.Delayed));
        await AddAsync(3, "Three", [], ("a@example.org", StoredStatus.Queued));
        await using (var context = installation.Open())
        {
            context.Add(new QueueRow { RecipientId = 100, LaneId = 1, SessionId = 5 });
            context.Add(new QueueRow { RecipientId = 200, LaneId = 1, SessionId = 5 });
            context.Add(new QueueRow { RecipientId = 300, LaneId = 1 });
            await context.SaveChangesAsync(Cancel);
        }

        await FindsAsync(new() { Status = RecipientStatus.Delivering }, 2, 1);
        await FindsAsync(new() { Status = RecipientStatus.Delivering, Tag = "receipt", Recipient = "a@example.org" }, 1);
        await FindsAsync(new() { Status = RecipientStatus.Queued }, 3, 1);
    }

    [Theory]
    [InlineData(3)]
    [InlineData(100)]
    public async Task Pages_join_up_in_both_directions_however_a_search_goes(int limit)
    {
        // Three at each time. Frequent at first and again at the end; rare; and not at all for a long while.
        for (var n = 1; n <= 60; n++)
        {
            var tags = (n is < 20 or > 50 ? ["often"] : (string[])[]).Concat(n % 25 == 0 ? ["seldom"] : []).ToArray();
            await AddAsync(n, n % 7 == 0 ? "Weekly report" : "Daily report", tags, Start.AddSeconds(n / 3), ($"{n % 2}@example.org", n % 5 == 0 ? StoredStatus.Failed : StoredStatus.Delivered));
        }
        var all = Enumerable.Range(1, 60).Reverse().ToList();
        foreach (var (filter, matches) in new (MessageFilter, Func<int, bool>)[]
        {
            (new(), _ => true),
            (new() { Tag = "often" }, n => n is < 20 or > 50),
            (new() { Tag = "seldom" }, n => n % 25 == 0),
            (new() { Subject = "weekly" }, n => n % 7 == 0),
            (new() { Subject = "report", Tag = "often" }, n => n is < 20 or > 50),
            (new() { Status = RecipientStatus.Failed }, n => n % 5 == 0),
            (new() { Recipient = "1@example.org", Status = RecipientStatus.Failed }, n => n % 2 == 1 && n % 5 == 0),
            (new() { Recipient = "1@example.org", Tag = "often" }, n => n % 2 == 1 && n is (< 20 or > 50)),
            (new() { Status = RecipientStatus.Failed, Subject = "weekly" }, n => n % 35 == 0),
            (new() { Status = RecipientStatus.Failed, Tag = "seldom" }, n => n % 25 == 0),
        })
        {
            // So near that every way of a search is gone, among them the one that ends a page early.
            foreach (var limits in new SearchLimits[] { new(4, 3, 10), new(2, 100, 1) })
            {
                var expected = all.Where(matches).Select(n => (long)n);
                Assert.Equal(expected, await WalkAsync(new MessageSearch(installation.Database, limits), filter, limit, backward: false));
                Assert.Equal(expected.Reverse(), await WalkAsync(new MessageSearch(installation.Database, limits), filter, limit, backward: true));
            }
        }
    }

    [Fact]
    public async Task A_page_ends_early_where_matches_are_far_and_many()
    {
        for (var n = 1; n <= 60; n++) await AddAsync(n, "x", n <= 30 ? ["often"] : [], ("a@example.org", StoredStatus.Delivered));

        var page = await new MessageSearch(installation.Database, new SearchLimits(5, 10, 10)).FindAsync(Account, new() { Tag = "often" }, null, false, 21, Cancel);

        Assert.Empty(page.Places);
        Assert.Equal(46, page.End!.Value.Id);
    }

    [Theory]
    [InlineData("...")]
    [InlineData("a ☺ b ...")]
    public async Task A_subject_without_three_letters_in_a_row_is_walked_for_since_no_index_knows_it(string subject)
    {
        for (var n = 1; n <= 60; n++) await AddAsync(n, n is 2 or 30 ? $"Wait {subject}" : "Your receipt", [], ("a@example.org", StoredStatus.Delivered));
        // All hits would fit.
        var search = new MessageSearch(installation.Database, new SearchLimits(5, 100, 10));
        var filter = new MessageFilter { Subject = subject };

        var page = await search.FindAsync(Account, filter, null, false, 21, Cancel);
        Assert.Empty(page.Places);
        Assert.Equal(46, page.End!.Value.Id);
        Assert.Equal([30, 2], await WalkAsync(search, filter, 20, backward: false));
        Assert.Equal([2, 30], await WalkAsync(search, filter, 20, backward: true));
        Assert.Equal((0, true), await search.CountAsync(Account, filter, Cancel));
        Assert.Equal((2, false), await Search.CountAsync(Account, filter, Cancel));
    }

    [Fact]
    public async Task Matches_are_counted_by_message()
    {
        for (var n = 1; n <= 9; n++) await AddAsync(n, $"Report {n}", n % 3 == 0 ? ["third"] : [], ("a@example.org", StoredStatus.Failed), ("a+b@example.org", StoredStatus.Failed), ("b@example.org", StoredStatus.Delivered));

        await CountsAsync(9, new());
        await CountsAsync(3, new() { Tag = "third" });
        await CountsAsync(9, new() { Status = RecipientStatus.Failed });
        await CountsAsync(9, new() { Recipient = "a@example.org", Status = RecipientStatus.Failed });
        await CountsAsync(3, new() { Recipient = "b@example.org", Tag = "third", Subject = "report" });
        await CountsAsync(4, new() { From = Start.AddSeconds(6) });
        await CountsAsync(0, new() { Status = RecipientStatus.Delivering });
    }

    [Fact]
    public async Task What_two_frequent_filters_have_in_common_is_counted_as_far_as_a_search_looks()
    {
        await using (var command = installation.Database.CreateCommand("""
            INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata, accepted_at, require_tls, needs_smtp_utf8)
            SELECT n, 7, 0, '', '', 'x', 0, '', n, '{often}', '{}', $1 + n * interval '1 second', 0, false FROM generate_series(1, 10001) n
            """))
        {
            command.Parameters.Add(new() { Value = Start });
            await command.ExecuteNonQueryAsync(Cancel);
        }
        await using (var command = installation.Database.CreateCommand("""
            INSERT INTO recipient (id, message_id, account_id, lane_id, address, base_address, accepted_at, kind, status, event_sequence, attempts)
            SELECT id, id, 7, 1, 'a@example.org', 'a@example.org', accepted_at, 0, 4, 1, 1 FROM message WHERE account_id = 7
            """))
        {
            await command.ExecuteNonQueryAsync(Cancel);
        }
        var near = new MessageSearch(installation.Database, new SearchLimits(SecondWalk: 100));

        Assert.Equal((10_000, true), await near.CountAsync(Account, new() { Tag = "often" }, Cancel));
        Assert.Equal((10_000, true), await near.CountAsync(Account, new() { Status = RecipientStatus.Delivered }, Cancel));
        Assert.Equal((100, true), await near.CountAsync(Account, new() { Tag = "often", Status = RecipientStatus.Delivered }, Cancel));
        Assert.Equal((0, false), await near.CountAsync(Account, new() { Tag = "often", Status = RecipientStatus.Failed }, Cancel));
    }

    private MessageSearch Search => new(installation.Database, new SearchLimits());

    private async Task FindsAsync(MessageFilter filter, params int[] expected) =>
        Assert.Equal(expected.Select(n => (long)n), (await Search.FindAsync(Account, filter, null, false, 100, Cancel)).Places.Select(place => place.Id));

    private async Task CountsAsync(int expected, MessageFilter filter) => Assert.Equal((expected, false), await Search.CountAsync(Account, filter, Cancel));

    /// <summary>All places of a search, page by page.</summary>
    private static async Task<List<long>> WalkAsync(MessageSearch search, MessageFilter filter, int limit, bool backward)
    {
        var all = new List<long>();
        Place? from = backward ? new Place(Start.AddDays(-1), 1) : null;
        for (var pages = 0; pages < 200; pages++)
        {
            var found = await search.FindAsync(Account, filter, from, backward, limit + 1, Cancel);
            all.AddRange(found.Places.Take(limit).Select(place => place.Id));
            if (found.Places.Count > limit) from = found.Places[limit - 1];
            else if (found.End is { } end) from = end;
            else return all;
        }
        throw new InvalidOperationException("The list does not come to its end.");
    }

    private Task AddAsync(long id, string subject, string[] tags, params (string Address, StoredStatus Status)[] recipients) => AddAsync(id, subject, tags, Start.AddSeconds(id), recipients);

    private Task AddAsync(long id, string subject, string[] tags, long account, params (string Address, StoredStatus Status)[] recipients) => AddAsync(id, subject, tags, Start.AddSeconds(id), account, recipients);

    private Task AddAsync(long id, string subject, string[] tags, DateTimeOffset at, params (string Address, StoredStatus Status)[] recipients) => AddAsync(id, subject, tags, at, Account, recipients);

    private async Task AddAsync(long id, string subject, string[] tags, DateTimeOffset at, long account, (string Address, StoredStatus Status)[] recipients)
    {
        await using var context = installation.Open();
        context.Add(new Message
        {
            Id = id,
            AccountId = account,
            MessageIdHeader = "",
            FromHeader = "",
            Subject = subject,
            Header = [],
            BodyId = id,
            Tags = tags,
            Metadata = "{}",
            AcceptedAt = at,
        });
        for (var n = 0; n < recipients.Length; n++)
        {
            context.Add(new Recipient
            {
                Id = (id * 100) + n,
                MessageId = id,
                AccountId = account,
                LaneId = 1,
                Address = recipients[n].Address,
                BaseAddress = MoxApi.Mail.Addresses.BaseAddress.Of(MoxApi.Mail.Addresses.MailAddress.Parse(recipients[n].Address)),
                AcceptedAt = at,
                Status = recipients[n].Status,
            });
        }
        await context.SaveChangesAsync(Cancel);
    }
}
