using MoxApi.Delivery.Queue;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>What happens to recipients whose node dies, or takes itself for living.</summary>
public class LeaseTests(TestPostgres postgres)
{
    [Fact]
    public async Task An_outcome_of_a_session_that_ended_changes_nothing()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET session_id = {bed.Node.Session.Id}");
        var recipient = sent.Recipients.Single().Id;
        var outcome = Delivered(recipient, bed.Node.Session.Id + 1);

        OutcomeResult[] results;
        await using (var connection = await bed.Database.OpenConnectionAsync(Stop)) results = await new OutcomeWriter().WriteAsync(connection, [outcome], Stop);

        Assert.False(results.Single().Applied);
        Assert.Equal((RecipientStatus.Queued, 0, 1), (await bed.RecipientsAsync(sent)).Select(r => (r.Status, r.Attempts, r.EventSequence)).Single());
        Assert.Equal(1, await bed.CountAsync($"SELECT count(*) FROM queue WHERE session_id = {bed.Node.Session.Id}"));
    }

    [Fact]
    public async Task Rows_of_a_dead_session_come_back_with_an_interrupted_attempt_and_are_delivered()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org");
        await DieWithAllAsync(bed);

        bed.Node.Deliver();
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Delivered)).Single();

        Assert.Single(server.Messages);
        Assert.Equal([AttemptOutcome.Interrupted, AttemptOutcome.Delivered], (await bed.AttemptsAsync(sent)).Select(a => a.Outcome));
        var events = await bed.EventsAsync(recipient.Id);
        Assert.Equal([(EventType.MessageAccepted, 1), (EventType.MessageDelayed, 2), (EventType.MessageDelivered, 3)], events.Select(e => (e.Type, e.Sequence)));
    }

    [Fact]
    public async Task What_comes_back_three_times_in_a_row_is_quarantined()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org", "sam@example.org");

        for (var i = 0; i < 3; i++)
        {
            await DieWithAllAsync(bed);
            Assert.Equal(2, await bed.Node.Get<Orphans>().ReturnAsync(bed.Node.Session, Stop));
        }
        bed.Node.Deliver();

        var recipient = (await bed.RecipientsAsync(sent))[0];
        Assert.Equal((RecipientStatus.Quarantined, 3), (recipient.Status, recipient.Attempts));
        Assert.Equal([EventType.MessageAccepted, EventType.MessageDelayed, EventType.MessageDelayed, EventType.MessageQuarantined], (await bed.EventsAsync(recipient.Id)).Select(e => e.Type));
        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM queue"));
        Assert.Empty(server.Sessions);
    }

    [Fact]
    public async Task An_attempt_that_ends_between_begins_the_count_of_returns_anew()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        bed.AddDomain("example.org").On("mail", "451 4.3.0 Later");
        var sent = await bed.SendAsync("jane@example.org");
        var orphans = bed.Node.Get<Orphans>();
        for (var i = 0; i < 2; i++)
        {
            await DieWithAllAsync(bed);
            await orphans.ReturnAsync(bed.Node.Session, Stop);
        }

        await bed.HurryAsync(sent);
        bed.Node.Deliver();
        await bed.UntilAsync(sent, r => r.Attempts == 3);

        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM queue WHERE reclaims > 0"));
    }

    [Fact]
    public async Task A_session_that_is_lost_sends_no_final_dot_and_the_next_one_delivers()
    {
        await using var bed = await MakeAsync(postgres, lease: LeaseTimes.OfLength(TimeSpan.FromSeconds(3)));
        var server = bed.AddDomain("example.org");
        var gate = new TaskCompletionSource();
        server.On("data", ((Act)"354 Go on").After(gate.Task));
        var sent = await bed.SendAsync("jane@example.org");
        await UntilAsync(() => Task.FromResult(server.Transcript.Contains("C: DATA")));

        var lost = bed.Node.Session.Id;
        await bed.ExecuteAsync($"DELETE FROM session WHERE id = {lost}");
        await UntilAsync(() => Task.FromResult(bed.Node.Session.Id != lost));
        gate.SetResult();
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Single(server.Messages);
        Assert.Equal(2, server.Sessions.Count);
        // The worker gives the row back, or the sweep finds it first and writes down that the session was lost: whoever is quicker.
        var outcomes = (await bed.AttemptsAsync(sent)).ConvertAll(a => a.Outcome);
        Assert.Equal(AttemptOutcome.Delivered, outcomes[^1]);
        Assert.All(outcomes[..^1], o => Assert.Equal(AttemptOutcome.Interrupted, o));
        await UntilAsync(() => Task.FromResult(bed.Node.Engine is { Leased: 0, Bytes: 0 }));
    }

    [Fact]
    public async Task Rows_that_are_leased_to_us_without_our_knowing_are_given_back_and_those_in_hand_are_not()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        var gate = new TaskCompletionSource();
        server.On("data", ((Act)"354 Go on").After(gate.Task));
        var inHand = await bed.SendAsync("jane@example.org");
        await UntilAsync(() => Task.FromResult(server.Transcript.Contains("C: DATA")));
        await bed.ExecuteAsync("UPDATE queue SET held = true");
        var strays = await bed.SendAsync("sam@other.example");
        bed.AddDomain("other.example");
        await bed.UntilAsync(strays, r => r.Attempts == 1 || r.Status != RecipientStatus.Queued);

        // As if a claim had been committed whose answer was lost.
        await bed.ExecuteAsync($"UPDATE queue SET held = false, session_id = {bed.Node.Session.Id}");
        await using (var context = bed.Open())
        {
            var left = context.Queue.Count();
            Assert.Equal(left - 1, await bed.Node.Loop.ReturnStraysAsync(Stop));
        }

        gate.SetResult();
        await bed.UntilAsync(inHand, RecipientStatus.Delivered);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task A_stop_lets_the_message_in_flight_finish_and_gives_the_others_back()
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxConnectionsPerDestination = 1, StopWithin = TimeSpan.FromSeconds(50) });
        var server = bed.AddDomain("example.org");
        var gate = new TaskCompletionSource();
        server.On("body", ((Act)"250 2.0.0 Ok").After(gate.Task));
        var sent = new List<MoxApi.Delivery.Submitting.SubmissionReceipt>();
        for (var i = 0; i < 40; i++) sent.Add(await bed.SendAsync("jane@example.org"));
        await UntilAsync(() => Task.FromResult(server.Messages.Count == 1));

        var stopping = bed.Node.StopAsync();
        gate.SetResult();
        await stopping;

        Assert.Single(server.Messages);
        Assert.Equal(39, await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NULL"));
        Assert.Equal(0, bed.Node.Engine.Leased);
        await bed.Node.DisposeAsync();
        await bed.StartNodeAsync();
        foreach (var message in sent) await bed.UntilAsync(message, RecipientStatus.Delivered);
        Assert.Equal(40, server.Messages.Count);
        Assert.Equal(40, server.Messages.Select(m => m.Mail).Distinct().Count());
        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM attempt WHERE outcome = 3"));
    }

    [Fact]
    public async Task A_message_that_waits_for_the_answer_to_its_final_dot_when_time_is_up_comes_back_as_interrupted()
    {
        await using var bed = await MakeAsync(postgres, options: new() { StopWithin = TimeSpan.FromMilliseconds(100) });
        var server = bed.AddDomain("example.org");
        server.On("body", Act.Silence);
        var sent = await bed.SendAsync("jane@example.org");
        await UntilAsync(() => Task.FromResult(server.Messages.Count == 1));

        await bed.Node.StopAsync();
        await bed.Node.Session.DisposeAsync();
        await bed.StartNodeAsync();
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Equal([AttemptOutcome.Interrupted, AttemptOutcome.Delivered], (await bed.AttemptsAsync(sent)).Select(a => a.Outcome));
    }

    [Fact]
    public async Task A_row_that_is_being_given_back_is_no_stray_until_it_is()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendAsync("jane@example.org");
        var (row, lease) = ((await bed.RecipientsAsync(sent)).Single(), bed.Node.Session.Id);
        await bed.ExecuteAsync($"UPDATE queue SET session_id = {lease}");
        await using var connection = await bed.Database.OpenConnectionAsync(Stop);
        await using var transaction = await connection.BeginTransactionAsync(Stop);
        await using (var locked = new NpgsqlCommand("SELECT 1 FROM queue FOR UPDATE", connection, transaction)) await locked.ExecuteNonQueryAsync(Stop);

        // The engine is not open: it gives the row back at once, and waits for its lock.
        var given = bed.Node.Engine.OfferAsync(row.LaneId, MailDomain.Parse("example.org"), [new ReadyRow(row.Id, lease, null, 0)]).AsTask();
        Assert.Empty(bed.Node.Engine.Strays([row.Id], lease));
        await transaction.RollbackAsync(Stop);
        await given;

        Assert.Single(bed.Node.Engine.Strays([row.Id], lease));
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NULL"));
    }

    // As a node does that is killed while its workers are at all rows.
    private static Task DieWithAllAsync(DeliveryBed bed) => bed.ExecuteAsync("UPDATE queue SET session_id = -1, in_hand = reclaims > 0");

    private static Outcome Delivered(long recipient, long session) => new(
        session, new Attempt { Id = 1, RecipientId = recipient, At = TimeProvider.System.GetUtcNow(), SmtpCode = 250, Reply = "Ok", Conversation = "[]" }, 2, RecipientStatus.Delivered, null);
}
