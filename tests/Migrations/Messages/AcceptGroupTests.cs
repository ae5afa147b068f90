using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using MoxApi.Tests.Hosting;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Migrations.Messages;

/// <summary>A message that PostgreSQL, or Npgsql before it, cannot take, in one group with others that it can. What checks requests should let none through; should.</summary>
public class AcceptGroupTests(TestPostgres postgres)
{
    private static readonly Dictionary<string, Func<Accept, Accept>> Faults = new()
    {
        ["NUL in the subject"] = a => With(a, m => m.Subject = "a\0b"),
        ["half a surrogate pair in the subject"] = a => With(a, m => m.Subject = "a\ud800b"),
        ["NUL in a tag"] = a => With(a, m => m.Tags = ["a\0b"]),
        ["NUL in the metadata"] = a => With(a, m => m.Metadata = """{"order": "\u0000"}"""),
        ["half a surrogate pair in the metadata"] = a => With(a, m => m.Metadata = """{"order": "\ud800"}"""),
        ["metadata that is no JSON"] = a => With(a, m => m.Metadata = "{"),
        ["an id that is taken"] = a => With(a, m => m.Id = 100),
        ["NUL in an address"] = a => a with { Recipients = [new(Accepts.Recipient(a.Message, "a\0b@example.net"), a.Message.Id + 3)] },
        ["half a surrogate pair in an address"] = a => a with { Recipients = [new(Accepts.Recipient(a.Message, "\udfff@example.net"), a.Message.Id + 3)] },
    };

    public static TheoryData<string> Kinds => [.. Faults.Keys];

    [Theory, MemberData(nameof(Kinds))]
    public async Task It_fails_alone_and_its_neighbours_are_stored_whole(string fault)
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var commit = new GroupCommit<Accept, Accepted>(installation.Database, new AcceptWriter(), retry: false, TimeProvider.System);

        // Gathered before the writer starts, so that all are in one group, or, behind the oversized one, in the next.
        Accept[] accepts = [Accepts.Make(100, 1000), Accepts.Make(200, 100_000), Faults[fault](Accepts.Make(300, 1000)), Accepts.Make(400, (int)GroupCommit<Accept, Accepted>.GroupBytes + 1), Faults[fault](Accepts.Make(500, 10)), Accepts.Make(600, 10)];
        var writes = accepts.Select(commit.WriteAsync).ToArray();
        commit.Start();
        await Task.WhenAll(writes).ContinueWith(static _ => { }, TaskScheduler.Default);

        Assert.Equal([true, true, false, true, false, true], writes.Select(w => w.IsCompletedSuccessfully));
        await using var context = installation.Open();
        Assert.Equal([100, 200, 400, 600], context.Messages.OrderBy(m => m.Id).Select(m => m.Id));
        foreach (var accept in new[] { accepts[0], accepts[1], accepts[3], accepts[5] })
            Assert.Equal(accept.Body.Size, await StoredLengthAsync(installation.Database, accept.Message.BodyId));
        Assert.Equal(4, (await installation.AssertBooksBalanceAsync()).Queued);
    }

    [Fact]
    public void Recipients_count_too_so_that_many_of_them_are_not_one_statement()
    {
        var (message, one) = (Accepts.Make(100, 1000), Accepts.Make(100, 1000).Recipients[0]);

        Assert.True(new AcceptWriter().SizeOf(message with { Recipients = [.. Enumerable.Repeat(one, 1000)] }) > GroupCommit<Accept, Accepted>.GroupBytes / 10);
    }

    private static Accept With(Accept accept, Action<Message> change)
    {
        change(accept.Message);
        return accept;
    }

    private static async Task<long> StoredLengthAsync(NpgsqlDataSource database, long body)
    {
        await using var command = database.CreateCommand($"""
            SELECT coalesce(length(b."inline"), (SELECT sum(length(c.bytes)) FROM body_chunk c WHERE c.body_id = b.id))::bigint FROM body b WHERE b.id = {body}
            """);
        return (long)(await command.ExecuteScalarAsync(TestContext.Current.CancellationToken))!;
    }
}
