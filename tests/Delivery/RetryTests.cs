using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

public class RetryTests(TestPostgres postgres)
{
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
}
