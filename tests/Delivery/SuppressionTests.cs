using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

public class SuppressionTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_suppressed_recipient_is_not_tried_in_any_spelling_and_the_others_are()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        await SuppressAsync(bed, "jane@example.org");

        var sent = await bed.SendAsync("Jane+news@example.org", "sam@example.org");

        Assert.Equal([RecipientStatus.Suppressed, RecipientStatus.Queued], sent.Recipients.Select(r => r.Status));
        await bed.UntilAsync(sent, r => r.Status is RecipientStatus.Suppressed or RecipientStatus.Delivered);
        Assert.Equal([EventType.MessageAccepted, EventType.MessageSuppressed], (await bed.EventsAsync(sent.Recipients[0].Id)).Select(e => e.Type));
        Assert.Equal("RCPT TO:<sam@example.org>", server.Messages.Single().Rcpts.Single());
        Assert.Equal(0, bed.Node.Engine.Bytes);
    }

    [Fact]
    public async Task A_suppression_that_expired_stops_nothing()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org");
        await SuppressAsync(bed, "jane@example.org", "now() - interval '1 second'");

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);
    }

    [Theory]
    [InlineData("550 5.1.1 No such user", 1)]
    [InlineData("550 5.2.1 Mailbox disabled", 1)]
    [InlineData("550 5.7.1 User unknown, says our policy", 0)]
    [InlineData("550 5.7.1 User unknown", 0)]
    [InlineData("554 5.7.1 Listed as spam", 0)]
    [InlineData("550 5.6.0 Bad content", 0)]
    [InlineData("552 5.2.2 Mailbox full", 0)]
    public async Task Only_a_failure_that_lies_with_the_address_suppresses_it_at_once(string reply, int expected)
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", reply);

        var sent = await bed.SendAsync("Jane+1@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        Assert.Equal(expected, await bed.CountAsync($"SELECT count(*) FROM suppression WHERE base_address = 'jane@example.org' AND reason = 1 AND recipient_id = {sent.Recipients[0].Id}"));
        Assert.Equal(expected == 1 ? RecipientStatus.Suppressed : RecipientStatus.Queued, (await bed.SendAsync("jane@example.org")).Recipients.Single().Status);
    }

    [Theory, InlineData("connect"), InlineData("mail"), InlineData("data")]
    public async Task A_refusal_that_is_not_of_the_recipient_does_not_suppress_it_also_not_the_third_time(string step)
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always(step, "550 5.1.1 User unknown");

        for (var n = 1; n <= 3; n++) await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Failed);

        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM suppression"));
    }

    [Fact]
    public async Task Three_final_failures_in_a_row_suppress_an_address()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", "552 5.2.2 Mailbox full");

        for (var n = 1; n <= 3; n++)
        {
            Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM suppression"));
            await bed.UntilAsync(await bed.SendAsync($"jane+{n}@example.org"), RecipientStatus.Failed);
        }

        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM suppression WHERE base_address = 'jane@example.org' AND reason = 2"));
    }

    [Fact]
    public async Task A_server_that_puts_off_until_the_end_does_not_suppress_at_once()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", "450 4.1.1 Unverified address: user unknown");
        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        await bed.ExecuteAsync("UPDATE queue SET expires_at = now()");
        await bed.HurryAsync(sent);
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM suppression"));
    }

    [Fact]
    public async Task A_test_between_failures_is_no_delivery()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", "552 5.2.2 Mailbox full");

        for (var n = 1; n <= 3; n++)
        {
            await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Failed);
            await bed.SendTestAsync("jane@example.org");
        }

        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM suppression WHERE reason = 2"));
    }

    [Theory, InlineData("250 2.1.5 Ok"), InlineData("550 5.7.1 Not today"), InlineData("550 5.7.1 User unknown")]
    public async Task Failures_are_not_in_a_row_with_anything_else_between(string between)
    {
        await using var bed = await MakeAsync(postgres);
        var replies = new Queue<string>(["552 5.2.2 Full", "552 5.2.2 Full", between, "552 5.2.2 Full", "552 5.2.2 Full"]);
        bed.AddDomain("example.org").On("rcpt", _ => (Act)replies.Dequeue());

        for (var n = 0; n < 5; n++) await bed.UntilAsync(await bed.SendAsync("jane@example.org"), r => r.Status is RecipientStatus.Failed or RecipientStatus.Delivered);

        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM suppression"));
    }

    [Fact]
    public async Task Two_recipients_of_one_base_address_that_fail_together_are_one_entry()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var sent = await bed.SendTogetherAsync("jane+a@example.org", "jane+b@example.org");
        await bed.ExecuteAsync($"UPDATE queue SET session_id = {bed.Node.Session.Id}");
        var outcomes = sent.Recipients.Select((recipient, n) => new Outcome(
            bed.Node.Session.Id,
            new Attempt { Id = (2 * n) + 1, RecipientId = recipient.Id, At = TimeProvider.System.GetUtcNow(), SmtpCode = 550, Reply = "No such user", FailureClass = FailureClass.MailboxNotFound, Conversation = "[]" },
            (2 * n) + 2, RecipientStatus.Failed, null, SuppressionRule.AtOnce)).ToArray();

        OutcomeResult[] results;
        await using (var connection = await bed.Database.OpenConnectionAsync(Stop)) results = await new OutcomeWriter().WriteAsync(connection, outcomes, Stop);

        Assert.Equal([true, true], results.Select(r => r.Applied));
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM suppression"));
    }

    [Fact]
    public async Task A_suppression_that_expired_is_in_force_again_after_the_next_failure()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", "550 5.1.1 No such user");
        await SuppressAsync(bed, "jane@example.org", "now() - interval '1 second'");

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Failed);

        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM suppression WHERE expires_at IS NULL AND reason = 1"));
    }

    private static Task SuppressAsync(DeliveryBed bed, string baseAddress, string expires = "NULL") => bed.ExecuteAsync($"""
        INSERT INTO suppression (account_id, base_address, address, reason, failure_class, created_at, expires_at)
        SELECT id, '{baseAddress}', '{baseAddress}', 0, 0, now(), {expires} FROM account
        """);
}
