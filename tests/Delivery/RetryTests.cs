using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

public class RetryTests(TestPostgres postgres)
{
    [Theory, InlineData("connect"), InlineData("ehlo"), InlineData("mail"), InlineData("rcpt"), InlineData("data"), InlineData("body")]
    public async Task A_4xx_at_any_step_delays_by_the_schedule(string step)
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always(step, "451 4.3.0 Later");
        var before = TimeProvider.System.GetUtcNow();

        var sent = await bed.SendAsync("jane@example.org");
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Delayed)).Single();

        var (due, after) = (recipient.NextAttemptAt!.Value, TimeProvider.System.GetUtcNow());
        Assert.InRange(due, before.AddSeconds(54).AddMilliseconds(-1), after.AddSeconds(66));
        Assert.Equal((451, "4.3.0"), (await bed.AttemptsAsync(sent)).Select(a => (a.SmtpCode, a.EnhancedCode)).Single());
        Assert.Equal([(EventType.MessageAccepted, 1), (EventType.MessageDelayed, 2)], (await bed.EventsAsync(recipient.Id)).Select(e => (e.Type, e.Sequence)));
        Assert.Equal(due, (await QueueRowAsync(bed)).DueAt);
    }

    [Theory, InlineData("connect"), InlineData("mail"), InlineData("rcpt"), InlineData("data"), InlineData("body")]
    public async Task A_5xx_at_any_step_fails_at_once(string step)
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always(step, "550 5.1.1 No such user");

        var sent = await bed.SendAsync("jane@example.org");
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Failed)).Single();

        Assert.Null(recipient.NextAttemptAt);
        Assert.Equal((550, "5.1.1", "5.1.1 No such user", step is "rcpt" or "body" ? FailureClass.MailboxNotFound : FailureClass.Policy),
            (await bed.AttemptsAsync(sent)).Select(a => (a.SmtpCode, a.EnhancedCode, a.Reply, a.FailureClass)).Single());
        Assert.Equal([(EventType.MessageAccepted, 1), (EventType.MessageFailed, 2)], (await bed.EventsAsync(recipient.Id)).Select(e => (e.Type, e.Sequence)));
    }

    [Fact]
    public async Task Each_recipient_of_a_transaction_has_its_own_outcome()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        server.On("rcpt", line => line.Contains("no@", StringComparison.Ordinal) ? (Act)"550 5.1.1 No" : line.Contains("later@", StringComparison.Ordinal) ? (Act)"450 4.2.1 Later" : null);

        var sent = await bed.SendTogetherAsync("yes@example.org", "no@example.org", "later@example.org", "yes2@example.org");
        await bed.UntilAsync(sent, r => r.Attempts == 1);

        Assert.Equal([RecipientStatus.Delivered, RecipientStatus.Failed, RecipientStatus.Delayed, RecipientStatus.Delivered], (await bed.RecipientsAsync(sent)).Select(r => r.Status));
        Assert.Equal(2, server.Messages.Single().Rcpts.Count);
    }

    [Fact]
    public async Task What_was_delayed_is_delivered_when_it_is_due()
    {
        await using var bed = await MakeAsync(postgres, retries: "1s");
        bed.AddDomain("example.org").On("rcpt", "450 4.2.1 Later");

        var sent = await bed.SendAsync("jane@example.org");
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Delivered)).Single();

        Assert.Equal([EventType.MessageAccepted, EventType.MessageDelayed, EventType.MessageDelivered], (await bed.EventsAsync(recipient.Id)).Select(e => e.Type));
    }

    [Fact]
    public async Task The_preset_mox_fails_after_the_eighth_attempt()
    {
        await using var bed = await MakeAsync(postgres, retries: "mox");
        bed.AddDomain("example.org").Always("mail", "451 4.3.0 Later");
        var sent = await bed.SendAsync("jane@example.org");

        for (var made = 1; made < 8; made++)
        {
            await bed.UntilAsync(sent, r => r.Attempts == made && r.Status == RecipientStatus.Delayed);
            await bed.HurryAsync(sent);
        }
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Failed)).Single();

        Assert.Equal(8, recipient.Attempts);
        Assert.Equal(Enumerable.Range(1, 9), (await bed.EventsAsync(recipient.Id)).Select(e => e.Sequence));
    }

    [Fact]
    public async Task The_last_attempt_is_made_when_the_message_expires()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("mail", "451 4.3.0 Later");
        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        var expiry = TimeProvider.System.GetUtcNow().AddMinutes(3);
        await bed.ExecuteAsync("UPDATE queue SET expires_at = now() + interval '3 minutes'");
        await bed.HurryAsync(sent);
        var delayed = (await bed.UntilAsync(sent, r => r.Attempts == 2)).Single();
        await bed.ExecuteAsync("UPDATE queue SET expires_at = now()");
        await bed.HurryAsync(sent);
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        Assert.InRange(delayed.NextAttemptAt!.Value, expiry.AddSeconds(-5), expiry.AddSeconds(60));
        Assert.Equal(3, (await bed.AttemptsAsync(sent)).Count);
    }

    [Fact]
    public async Task A_final_dot_without_an_answer_is_not_repeated_at_once()
    {
        await using var bed = await MakeAsync(postgres);
        var server = bed.AddDomain("example.org");
        bed.AddAddress("mx.example.org", server, ipv6: false);
        server.On("body", Act.Disconnect);

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delayed);

        Assert.Single(server.Messages);
        Assert.Equal(FailureClass.Network, (await bed.AttemptsAsync(sent)).Single().FailureClass);
    }

    [Fact]
    public async Task Octets_in_a_reply_that_are_no_text_do_not_keep_its_outcome_from_being_stored()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", Act.Raw("550 5.1.1 \0\u0001\xff\xfe no\r\n"));

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        Assert.EndsWith(" no", (await bed.AttemptsAsync(sent)).Single().Reply, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_outcome_that_PostgreSQL_refuses_is_stored_without_the_servers_words()
    {
        await using var bed = await MakeAsync(postgres);
        bed.AddDomain("example.org").Always("rcpt", "550 5.1.1 Words that cannot be stored");
        await bed.ExecuteAsync("""
            CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '22021'; END $$;
            CREATE TRIGGER refuse BEFORE INSERT ON attempt FOR EACH ROW WHEN (NEW.reply LIKE '5.1.1 Words%') EXECUTE FUNCTION refuse()
            """);

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        var attempt = (await bed.AttemptsAsync(sent)).Single();
        Assert.Equal((550, "5.1.1", "The reply cannot be stored.", "[]"), (attempt.SmtpCode, attempt.EnhancedCode, attempt.Reply, attempt.Conversation));
    }

    private static async Task<QueueRow> QueueRowAsync(DeliveryBed bed)
    {
        await using var context = bed.Open();
        return context.Queue.Single();
    }
}
