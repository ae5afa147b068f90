using System.Text;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Messages;

/// <summary>Messages whose senders named the sends, in one group.</summary>
public sealed class IdempotentGroupTests(TestPostgres postgres) : IAsyncLifetime
{
    private Installation installation = null!;

    public async ValueTask InitializeAsync() => installation = await Installation.CreateAsync(postgres);

    public ValueTask DisposeAsync() => installation.DisposeAsync();

    [Fact]
    public async Task Of_two_with_one_key_the_first_is_stored()
    {
        var outcomes = await WriteAsync(Named("order", 100), Named("order", 200), Named("other", 300));

        Assert.Equal(["stored", "another's", "stored"], outcomes);
        Assert.Equal([100, 300], await StoredAsync());
        Assert.Equal(["order: made before", "other: made before"], await AnswersAsync());
        await installation.AssertBooksBalanceAsync();
    }

    [Fact]
    public async Task A_key_is_one_account_s_own()
    {
        var other = Named("order", 200);
        other.Answer.AccountId = 2;

        var outcomes = await WriteAsync(Named("order", 100), other);

        Assert.Equal(["stored", "stored"], outcomes);
        Assert.Equal(2, (await AnswersAsync()).Count);
    }

    [Theory, InlineData(0), InlineData(0xd800)] // NUL, and half a surrogate pair, which Npgsql cannot take.
    public async Task One_that_PostgreSQL_cannot_take_fails_alone_and_leaves_its_key_free(int character)
    {
        var bad = Named("bad", 200);
        bad.Accept.Message.Subject = $"a{(char)character}b";

        var outcomes = await WriteAsync(Named("one", 100), bad, Named("three", 300));

        Assert.Equal(["stored", "refused", "stored"], outcomes);
        Assert.Equal([100, 300], await StoredAsync());
        Assert.Equal(["one: made before", "three: made before"], await AnswersAsync());
    }

    [Fact]
    public async Task One_whose_key_another_is_writing_does_not_hold_up_the_others()
    {
        await using var other = await installation.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var transaction = await other.BeginTransactionAsync(TestContext.Current.CancellationToken);
        await using var take = other.CreateCommand();
        // As the other would: with the lock, and with the row that is not committed.
        take.CommandText = """
            SELECT pg_advisory_xact_lock(hashtextextended('moxapi:idempotency:1:taken', 0));
            INSERT INTO idempotent_answer (account_id, key, fingerprint, answer, created_at) VALUES (1, 'taken', '', 'theirs', now())
            """;
        await take.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var outcomes = await WriteAsync(Named("one", 100), Named("taken", 200), Named("three", 300));

        Assert.Equal(["stored", "another's", "stored"], outcomes);
        Assert.Equal([100, 300], await StoredAsync());
    }

    [Fact]
    public async Task A_key_that_was_used_is_free_again_after_a_day()
    {
        var (old, young) = (Named("old", 200), Named("young", 300));
        await using (var context = installation.Open())
        {
            context.AddRange(Used("old", old.Answer.CreatedAt.AddHours(-24).AddMilliseconds(-1)), Used("young", young.Answer.CreatedAt.AddHours(-24)));
            await context.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var outcomes = await WriteAsync(Named("new", 100), old, young);

        Assert.Equal(["stored", "stored", "another's"], outcomes);
        Assert.Equal(["new: made before", "old: made before", "young: theirs"], await AnswersAsync());
    }

    [Fact]
    public async Task Of_two_large_ones_with_one_key_the_second_leaves_nothing()
    {
        var (first, second) = (Named("order", 100), Named("order", 200));

        Assert.NotNull(await IdempotentAcceptWriter.WriteLargeAsync(installation.Database, first, TestContext.Current.CancellationToken));
        Assert.Null(await IdempotentAcceptWriter.WriteLargeAsync(installation.Database, second, TestContext.Current.CancellationToken));

        Assert.Equal([100], await StoredAsync());
    }

    [Fact]
    public void A_group_takes_no_more_locks_than_a_small_server_has() =>
        Assert.True(new IdempotentAcceptWriter().SizeOf(Named("order", 100)) >= GroupCommit<IdempotentAccept, Accepted?>.GroupBytes / 250);

    [Fact]
    public async Task A_group_that_was_rolled_back_is_judged_anew()
    {
        await using (var context = installation.Open())
        {
            // The answer of one cannot be set, after it was found that neither is sent to: both are written once more, each alone.
            await context.Database.ExecuteSqlAsync($"""
                INSERT INTO suppression (account_id, base_address, address, reason, failure_class, created_at) VALUES (1, 'jane@example.net', 'jane@example.net', 0, 0, now());
                CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
                CREATE TRIGGER trouble BEFORE UPDATE ON idempotent_answer FOR EACH ROW WHEN (NEW.key = 'trouble') EXECUTE FUNCTION trouble()
                """, TestContext.Current.CancellationToken);
        }

        var outcomes = await WriteAsync(Named("trouble", 100), Named("well", 200));

        Assert.Equal(["refused", "changed"], outcomes);
        Assert.Equal([200], await StoredAsync());
        Assert.Equal(["well: Suppressed"], await AnswersAsync());
    }

    // Gathered before the writer starts, so that all are in one group.
    private async Task<string[]> WriteAsync(params IEnumerable<IdempotentAccept> items)
    {
        await using var commit = new GroupCommit<IdempotentAccept, Accepted?>(installation.Database, new IdempotentAcceptWriter(), retry: false, TimeProvider.System);
        var outcomes = items.Select(item => OutcomeAsync(commit.WriteAsync(item))).ToArray();
        commit.Start();
        return await Task.WhenAll(outcomes).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);
    }

    private static async Task<string> OutcomeAsync(Task<Accepted?> write)
    {
        try
        {
            return await write switch { null => "another's", { Changed: true } => "changed", _ => "stored" };
        }
        catch (Exception fault) when (fault is PostgresException or EncoderFallbackException)
        {
            return "refused";
        }
    }

    private static IdempotentAnswer Used(string key, DateTimeOffset at) => new() { AccountId = 1, Key = key, Fingerprint = [2], Answer = "theirs", CreatedAt = at };

    private static IdempotentAccept Named(string key, long id)
    {
        var accept = Accepts.Make(id, 10);
        var answer = new IdempotentAnswer { AccountId = 1, Key = key, Fingerprint = [1], Answer = "made before", CreatedAt = accept.Message.AcceptedAt };
        return new(accept, answer, () => accept.Recipients[0].Row.Status.ToString());
    }

    private async Task<List<long>> StoredAsync()
    {
        await using var context = installation.Open();
        return await context.Messages.OrderBy(m => m.Id).Select(m => m.Id).ToListAsync(TestContext.Current.CancellationToken);
    }

    private async Task<List<string>> AnswersAsync()
    {
        await using var context = installation.Open();
        return await context.Set<IdempotentAnswer>().OrderBy(a => a.Key).Select(a => a.Key + ": " + a.Answer).ToListAsync(TestContext.Current.CancellationToken);
    }
}
