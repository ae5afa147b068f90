using MoxApi.Migrations.Writing;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Writing;

public class GroupCommitTests(TestPostgres postgres)
{
    [Theory, InlineData("NUL"), InlineData("lone surrogate"), InlineData("constraint")]
    public async Task A_bad_row_fails_alone_and_its_neighbours_commit(string fault)
    {
        var bad = fault switch { "NUL" => "a\0b", "lone surrogate" => "a\ud800b", _ => "twice" };
        await using var database = await TableAsync();
        var write = new WordWrite();
        await using var commit = new GroupCommit<string, int>(database, write, retry: false, TimeProvider.System);

        // Gathered before the writer starts, so that all are in one group.
        var writes = new[] { "one", "twice", bad, "three" }.Select(commit.WriteAsync).ToArray();
        commit.Start();
        await Task.WhenAll(writes).ContinueWith(static _ => { }, TaskScheduler.Default);

        Assert.Equal([true, true, false, true], writes.Select(w => w.IsCompletedSuccessfully));
        Assert.Equal(["one", "three", "twice"], await WordsAsync(database));
        Assert.Equal([4, 1, 1, 1, 1], write.Groups);
    }

    [Theory, InlineData("P0001"), InlineData("XX001"), InlineData("58030")]
    public async Task What_is_tried_until_it_can_be_written_is_not_tried_when_it_is_the_row_that_PostgreSQL_cannot_take(string code)
    {
        await using var database = await TableAsync();
        await using (var trouble = database.CreateCommand($"""
            CREATE FUNCTION trouble() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{code}'; END $$;
            CREATE TRIGGER trouble BEFORE INSERT ON word FOR EACH ROW WHEN (NEW.word = 'bad') EXECUTE FUNCTION trouble()
            """)) await trouble.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        await using var commit = new GroupCommit<string, int>(database, new WordWrite(), retry: true, TimeProvider.System);
        var writes = new[] { "one", "bad", "three" }.Select(commit.WriteAsync).ToArray();
        commit.Start();
        await Task.WhenAll(writes).ContinueWith(static _ => { }, TaskScheduler.Default).WaitAsync(TimeSpan.FromMinutes(1), TestContext.Current.CancellationToken);

        Assert.Equal([true, false, true], writes.Select(w => w.IsCompletedSuccessfully));
        Assert.Equal(code, (await Assert.ThrowsAsync<PostgresException>(() => writes[1])).SqlState);
        Assert.Equal(["one", "three"], await WordsAsync(database));
    }

    [Fact]
    public async Task What_comes_during_a_commit_goes_together_in_the_next()
    {
        await using var database = await TableAsync();
        var gate = new TaskCompletionSource();
        var write = new WordWrite { Gate = gate.Task };
        await using var commit = new GroupCommit<string, int>(database, write, retry: false, TimeProvider.System);
        commit.Start();

        var first = commit.WriteAsync("first");
        while (write.Groups.Count == 0) await Task.Yield();
        var others = Enumerable.Range(0, 50).Select(n => commit.WriteAsync($"other {n}")).ToArray();
        gate.SetResult();
        await Task.WhenAll([first, .. others]);

        Assert.Equal([1, 50], write.Groups);
    }

    [Fact]
    public async Task A_group_has_so_many_octets_and_no_more_unless_one_item_alone_has_them()
    {
        await using var database = await TableAsync();
        var write = new WordWrite { Size = (GroupCommit<string, int>.GroupBytes / 2) + 1 };
        await using var commit = new GroupCommit<string, int>(database, write, retry: false, TimeProvider.System);
        var writes = Enumerable.Range(0, 3).Select(n => commit.WriteAsync($"large {n}")).ToArray();

        commit.Start();
        await Task.WhenAll(writes);

        Assert.Equal([1, 1, 1], write.Groups);
    }

    [Fact]
    public async Task What_comes_after_the_end_is_told_so_and_does_not_wait()
    {
        await using var database = await TableAsync();
        var commit = new GroupCommit<string, int>(database, new WordWrite(), retry: false, TimeProvider.System, maxWaiting: 1);
        commit.Start();
        await commit.DisposeAsync();

        for (var n = 0; n < 3; n++)
        {
            var late = commit.WriteAsync("late"); // Which throws nothing itself.
            await Assert.ThrowsAsync<ObjectDisposedException>(() => late);
        }
    }

    [Fact]
    public async Task An_outcome_waits_until_PostgreSQL_can_be_reached()
    {
        await using var database = await TableAsync();
        var write = new WordWrite { FaultsLeft = 2 };
        await using var commit = new GroupCommit<string, int>(database, write, retry: true, TimeProvider.System);
        commit.Start();

        await commit.WriteAsync("patient");

        Assert.Equal(["patient"], await WordsAsync(database));
        Assert.Equal([1, 1, 1], write.Groups);
    }

    [Fact]
    public async Task An_accept_does_not_wait_and_its_neighbours_are_told_too()
    {
        await using var database = await TableAsync();
        await using var commit = new GroupCommit<string, int>(database, new WordWrite { FaultsLeft = 1 }, retry: false, TimeProvider.System);
        var writes = new[] { commit.WriteAsync("one"), commit.WriteAsync("two") };

        commit.Start();

        foreach (var write in writes) await Assert.ThrowsAsync<NpgsqlException>(() => write);
        Assert.Empty(await WordsAsync(database));
    }

    [Fact]
    public async Task While_PostgreSQL_stalls_so_many_wait_and_no_more()
    {
        await using var database = await TableAsync();
        var gate = new TaskCompletionSource();
        await using var commit = new GroupCommit<string, int>(database, new WordWrite { Gate = gate.Task }, retry: false, TimeProvider.System, "test", maxWaiting: 3);
        commit.Start();

        var waiting = Enumerable.Range(0, 3).Select(n => commit.WriteAsync($"word {n}")).ToArray();
        await Assert.ThrowsAsync<NoRoomException>(() => commit.WriteAsync("one too many"));
        gate.SetResult();
        await Task.WhenAll(waiting);

        Assert.Equal(3, (await WordsAsync(database)).Count);
        await Eventually.HoldsAsync(async () => await TryWriteAsync(commit, $"word {Guid.NewGuid()}"), "room for another");
    }

    private static async Task<bool> TryWriteAsync(GroupCommit<string, int> commit, string word)
    {
        try
        {
            await commit.WriteAsync(word);
            return true;
        }
        catch (NoRoomException)
        {
            return false;
        }
    }

    [Fact]
    public async Task What_comes_after_the_end_is_refused()
    {
        await using var database = await TableAsync();
        var commit = new GroupCommit<string, int>(database, new WordWrite(), retry: false, TimeProvider.System);
        commit.Start();
        var last = commit.WriteAsync("last");
        await commit.DisposeAsync();

        Assert.True(last.IsCompletedSuccessfully);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => commit.WriteAsync("late"));
    }

    private async Task<NpgsqlDataSource> TableAsync()
    {
        var database = NpgsqlDataSource.Create(await postgres.CreateEmptyDatabaseAsync());
        await using var command = database.CreateCommand("CREATE TABLE word (word text PRIMARY KEY)");
        await command.ExecuteNonQueryAsync();
        return database;
    }

    private static async Task<List<string>> WordsAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("SELECT word FROM word ORDER BY word");
        await using var reader = await command.ExecuteReaderAsync();
        var words = new List<string>();
        while (await reader.ReadAsync()) words.Add(reader.GetString(0));
        return words;
    }

    private sealed class WordWrite : IGroupWrite<string, int>
    {
        public List<int> Groups { get; } = [];

        public Task Gate { get; init; } = Task.CompletedTask;

        public long Size { get; init; } = 1;

        public int FaultsLeft { get; set; }

        public long SizeOf(string item) => Size;

        public async Task<int[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<string> group, CancellationToken cancel)
        {
            Groups.Add(group.Count);
            await Gate;
            if (FaultsLeft-- > 0) throw new NpgsqlException("PostgreSQL is away.");
            await using var command = new NpgsqlCommand("INSERT INTO word SELECT * FROM unnest($1::text[])", connection) { Parameters = { new() { Value = group.ToArray() } } };
            await command.ExecuteNonQueryAsync(cancel);
            return [.. group.Select(_ => 0)];
        }
    }
}
