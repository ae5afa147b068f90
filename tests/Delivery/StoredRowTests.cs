using MoxApi.Delivery.Composing;
using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>What is stored and cannot be read.</summary>
public class StoredRowTests(TestPostgres postgres)
{
    [Theory]
    [InlineData("UPDATE recipient SET address = 'no address' WHERE message_id = {0}")]
    [InlineData("UPDATE message SET reverse_path = 'no address', return_path_domain = NULL WHERE id = {0}")]
    [InlineData("UPDATE message SET return_path_domain = 'no domain' WHERE id = {0}")]
    public async Task A_recipient_that_cannot_be_read_fails_alone(string corrupt)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = new List<SubmissionReceipt>();
        for (var i = 0; i < 3; i++) sent.Add(await bed.SendAsync($"jane{i}@example.org"));
        await bed.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, corrupt, sent[1].MessageId));

        bed.Node.Deliver();
        await bed.UntilAsync(sent[0], RecipientStatus.Delivered);
        await bed.UntilAsync(sent[2], RecipientStatus.Delivered);
        var delayed = (await bed.UntilAsync(sent[1], RecipientStatus.Delayed)).Single();

        Assert.Equal(2, server.Messages.Count);
        Assert.True(delayed.NextAttemptAt > TimeProvider.System.GetUtcNow().AddSeconds(30));
        Assert.Equal(("4.3.0", FailureClass.Other, 0), (await bed.AttemptsAsync(sent[1])).Select(a => (a.EnhancedCode, a.FailureClass, a.SmtpCode)).Single());
    }

    [Theory]
    [InlineData("body", "id", "size", "inline", 100)]
    [InlineData("body_chunk", "body_id", "number", "bytes", 10_000)]
    public async Task A_message_on_a_damaged_page_fails_alone(string table, string id, string number, string octets, int size)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = new List<SubmissionReceipt>();
        for (var i = 0; i < 3; i++) sent.Add(await bed.SendAsync(new MessageDraft { From = null!, Text = new string('x', size) }, [$"jane{i}@example.org"]));
        var body = await bed.CountAsync($"SELECT body_id FROM message WHERE id = {sent[1].MessageId}");
        await bed.ExecuteAsync($$"""
            CREATE FUNCTION damaged() RETURNS int LANGUAGE plpgsql STABLE AS $f$ BEGIN RAISE EXCEPTION 'invalid page in block 7' USING ERRCODE = 'XX001'; END $f$;
            ALTER TABLE {{table}} RENAME TO stored;
            CREATE VIEW {{table}} AS SELECT {{id}}, CASE WHEN {{id}} = {{body}} THEN damaged() ELSE {{number}} END AS {{number}}, "{{octets}}" FROM stored;
            """);

        bed.Node.Deliver();
        await bed.UntilAsync(sent[0], RecipientStatus.Delivered);
        await bed.UntilAsync(sent[2], RecipientStatus.Delivered);
        var delayed = (await bed.UntilAsync(sent[1], RecipientStatus.Delayed)).Single();
        await bed.ExecuteAsync($"DROP VIEW {table}; ALTER TABLE stored RENAME TO {table}");

        Assert.Equal(2, server.Messages.Count);
        Assert.True(delayed.NextAttemptAt > TimeProvider.System.GetUtcNow().AddSeconds(30));
        Assert.Equal(("4.3.0", FailureClass.Other, 0), (await bed.AttemptsAsync(sent[1])).Select(a => (a.EnhancedCode, a.FailureClass, a.SmtpCode)).Single());
    }

    [Fact]
    public async Task What_cannot_be_read_for_the_moment_is_given_back_and_taken_up_again_with_a_pause()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync("""
            CREATE SEQUENCE tries;
            CREATE FUNCTION away() RETURNS int LANGUAGE plpgsql VOLATILE AS $f$ BEGIN PERFORM nextval('tries'); RAISE EXCEPTION 'out of memory' USING ERRCODE = '53200'; END $f$;
            ALTER TABLE body RENAME TO stored;
            CREATE VIEW body AS SELECT id, away() AS size, "inline" FROM stored;
            """);

        var start = TimeProvider.System.GetTimestamp();
        bed.Node.Deliver();
        await UntilAsync(() => bed.CountAsync("SELECT last_value FROM tries").ContinueWith(c => c.Result >= 3, TaskScheduler.Default));
        var took = TimeProvider.System.GetElapsedTime(start);
        await bed.ExecuteAsync("DROP VIEW body; ALTER TABLE stored RENAME TO body");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Single(await bed.AttemptsAsync(sent));
        Assert.True(took > TimeSpan.FromSeconds(2.9), $"Three tries in {took}.");
    }

    [Fact]
    public async Task A_destination_whose_name_cannot_be_read_fails_alone()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@unreadable.example");
        var other = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync("UPDATE lane SET domain = 'no domain' WHERE domain = 'unreadable.example'");
        await bed.Node.DisposeAsync();

        await bed.StartNodeAsync();
        await bed.UntilAsync(other, RecipientStatus.Delivered);
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        Assert.Equal(("4.3.0", FailureClass.Other), (await bed.AttemptsAsync(sent)).Select(a => (a.EnhancedCode, a.FailureClass)).Single());
    }
}
