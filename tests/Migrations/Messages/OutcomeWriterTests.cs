using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Migrations.Messages;

public class OutcomeWriterTests(TestPostgres postgres)
{
    // As when a recipient's data is erased: queue row and recipient, or the recipient alone.
    [Theory]
    [InlineData(RecipientStatus.Delivered, "UPDATE recipient SET address = 'erased@example.org'")]
    [InlineData(RecipientStatus.Delayed, "UPDATE recipient SET address = 'erased@example.org'")]
    [InlineData(RecipientStatus.Delivered, "UPDATE queue SET due_at = due_at", "UPDATE recipient SET address = 'erased@example.org'")]
    [InlineData(RecipientStatus.Delayed, "UPDATE queue SET due_at = due_at", "UPDATE recipient SET address = 'erased@example.org'")]
    public async Task What_another_changes_meanwhile_has_its_outcome_after_it(RecipientStatus status, params string[] changes)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendTogetherAsync("jane@example.org", "sam@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET session_id = {bed.Node.Session.Id}");
        await using var other = await OtherTransaction.BeginAsync(bed.Database, changes);
        await using var connection = await bed.Database.OpenConnectionAsync(Stop);

        var writing = new OutcomeWriter().WriteAsync(connection, [.. sent.Recipients.Select((r, n) => OutcomeOf(bed, r.Id, 2 * n, status))], Stop);
        await other.IsAwaitedAsync();
        await other.CommitAsync();

        Assert.All(await writing, r => Assert.True(r.Applied));
        Assert.All(await bed.RecipientsAsync(sent), r => Assert.Equal((status, 2, 1, "erased@example.org"), (r.Status, r.EventSequence, r.Attempts, r.Address)));
        Assert.Equal(status == RecipientStatus.Delayed ? 2 : 0, await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NULL AND attempts = 1"));
    }

    private static Outcome OutcomeOf(DeliveryBed bed, long recipient, int id, RecipientStatus status)
    {
        var now = TimeProvider.System.GetUtcNow();
        var attempt = new Attempt { Id = id + 1, RecipientId = recipient, At = now, Outcome = status == RecipientStatus.Delivered ? AttemptOutcome.Delivered : AttemptOutcome.Delayed, Reply = "", Conversation = "[]" };
        return new Outcome(bed.Node.Session.Id, attempt, id + 2, status, status == RecipientStatus.Delayed ? now.AddHours(1) : null);
    }
}
