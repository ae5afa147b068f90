using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Suppressions;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Suppressions;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Api.Suppressions;

public class StoredSuppressionsTests(TestPostgres postgres)
{
    private static readonly MailAddress Jane = MailAddress.Parse("jane@example.org");

    private string connectionString = "";

    [Fact]
    public async Task An_entry_ends_when_it_expires_and_is_nobody_elses()
    {
        var (stored, clock, mine, other) = await MakeAsync();
        await stored.AddAsync(mine, Jane, null, clock.GetUtcNow().AddHours(1), default);

        Assert.NotNull(await stored.FindAsync(mine, MailAddress.Parse("Jane+x@example.org"), default));
        Assert.Null(await stored.FindAsync(other, Jane, default));
        Assert.False(await stored.RemoveAsync(other, Jane, default));
        Assert.Empty((await stored.ListAsync(other, null, new(10), default)).Data);

        clock.Advance(TimeSpan.FromHours(1));
        Assert.Null(await stored.FindAsync(mine, Jane, default));
        Assert.Empty((await stored.ListAsync(mine, null, new(10), default)).Data);
    }

    [Fact]
    public async Task Adding_again_replaces_the_note_and_the_time()
    {
        var (stored, clock, mine, _) = await MakeAsync();
        await stored.AddAsync(mine, Jane, "first", clock.GetUtcNow().AddHours(1), default);
        await stored.AddAsync(mine, MailAddress.Parse("JANE@example.org"), "second", null, default);

        var entry = Assert.Single((await stored.ListAsync(mine, SuppressionReason.Manual, new(10), default)).Data);
        Assert.Equal(("second", null), (entry.Detail, entry.ExpiresAt));
    }

    [Fact]
    public async Task What_was_added_is_answered_though_another_removes_it_at_once()
    {
        var (stored, _, mine, _) = await MakeAsync();
        await using var database = NpgsqlDataSource.Create(connectionString);
        // In place of the other, who comes as soon as it is committed.
        await using (var other = database.CreateCommand("""
            CREATE FUNCTION remove() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN DELETE FROM suppression; RETURN NULL; END';
            CREATE CONSTRAINT TRIGGER other AFTER INSERT OR UPDATE ON suppression DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION remove();
            """)) await other.ExecuteNonQueryAsync();

        var added = await stored.AddAsync(mine, Jane, "Asked by telephone", null, default);

        Assert.Equal(("jane@example.org", "Asked by telephone"), (added.Address, added.Detail));
        Assert.Null(await stored.FindAsync(mine, Jane, default));
    }

    [Fact]
    public async Task A_list_comes_to_its_end_also_with_equal_times()
    {
        var (stored, _, mine, _) = await MakeAsync();
        for (var n = 0; n < 7; n++) await stored.AddAsync(mine, MailAddress.Parse($"jane{n}@example.org"), null, null, default);

        using var ids = new PublicIds(new byte[16]);
        var seen = await StoredLists.ForwardAsync(2, ids.CursorsOf(TimedList.Suppressions), page => stored.ListAsync(mine, null, page, default));

        Assert.Equal(Enumerable.Range(0, 7).Reverse().Select(n => $"jane{n}@example.org"), seen.Select(s => s.Address));
    }

    private async Task<(StoredSuppressions Stored, FakeTimeProvider Clock, Caller Mine, Caller Other)> MakeAsync()
    {
        var contexts = new Contexts(connectionString = await postgres.CreateDatabaseAsync());
        await using var context = contexts.CreateDbContext();
        var (one, two) = (new Account { Name = "one" }, new Account { Name = "two" });
        context.AddRange(one, two);
        await context.SaveChangesAsync();
        var clock = new FakeTimeProvider(new(2026, 11, 22, 10, 0, 0, TimeSpan.Zero));
        return (new(contexts, new PublicIds(new byte[16]), clock), clock, new(one.Id, new HashSet<string>()), new(two.Id, new HashSet<string>()));
    }

    private sealed class Contexts(string connectionString) : IDbContextFactory<MailDbContext>
    {
        public MailDbContext CreateDbContext()
        {
            var options = new DbContextOptionsBuilder<MailDbContext>();
            MailDbContext.Configure(options);
            options.UseNpgsql(connectionString);
            return new MailDbContext(options.Options);
        }
    }
}
