using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

/// <summary>Replies of 4xx and 5xx; those to STARTTLS are in <see cref="StartTlsFailingTests"/>.</summary>
public class RefusedTests(TestPostgres postgres)
{
    /// <summary>The steps at which a 5xx ends it: after EHLO comes HELO.</summary>
    public static TheoryData<string> FinalSteps => [.. FailureBed.Steps.Where(step => step.Data != "ehlo"), "helo"];

    [Theory, MemberData(nameof(FailureBed.Steps), MemberType = typeof(FailureBed))]
    public async Task A_4xx_at_any_step_delays_by_the_schedule(string step)
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.AddDomain("example.org").Always(step, "451 4.3.0 Later");
        var before = TimeProvider.System.GetUtcNow();

        var sent = await bed.SendAsync("jane@example.org");
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Delayed)).Single();

        var (due, after) = (recipient.NextAttemptAt!.Value, TimeProvider.System.GetUtcNow());
        Assert.InRange(due, before.AddSeconds(54).AddMilliseconds(-1), after.AddSeconds(66));
        Assert.Equal((451, "4.3.0"), (await bed.AttemptsAsync(sent)).Select(a => (a.SmtpCode, a.EnhancedCode)).Single());
        Assert.Equal([(EventType.MessageAccepted, 1), (EventType.MessageDelayed, 2)], (await bed.EventsAsync(recipient.Id)).Select(e => (e.Type, e.Sequence)));
        await using var context = bed.Open();
        Assert.Equal(due, context.Queue.Single().DueAt);
    }

    [Theory, MemberData(nameof(FailureBed.Steps), MemberType = typeof(FailureBed))]
    public async Task What_was_refused_with_4xx_at_any_step_is_delivered_when_it_is_due(string step)
    {
        var failed = await FailureBed.MisbehaveOnceAsync(postgres, step, "451 4.3.0 Later");

        Assert.Equal((451, "4.3.0"), (failed.SmtpCode, failed.EnhancedCode));
    }

    [Theory, MemberData(nameof(FinalSteps))]
    public async Task A_5xx_at_any_step_fails_at_once(string step)
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        var server = bed.AddDomain("example.org").Always(step, "550 5.1.1 No such user");
        if (step == "helo") server.Always("ehlo", "502 5.5.1 What?");

        var sent = await bed.SendAsync("jane@example.org");
        var recipient = (await bed.UntilAsync(sent, RecipientStatus.Failed)).Single();

        Assert.Null(recipient.NextAttemptAt);
        Assert.Equal((550, "5.1.1", "5.1.1 No such user", step is "rcpt" or "body" ? FailureClass.MailboxNotFound : FailureClass.Policy),
            (await bed.AttemptsAsync(sent)).Select(a => (a.SmtpCode, a.EnhancedCode, a.Reply, a.FailureClass)).Single());
        Assert.Equal([(EventType.MessageAccepted, 1), (EventType.MessageFailed, 2)], (await bed.EventsAsync(recipient.Id)).Select(e => (e.Type, e.Sequence)));
    }

    [Fact]
    public async Task A_server_that_refuses_EHLO_with_5xx_is_greeted_with_HELO()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        var server = bed.AddDomain("example.org").Always("ehlo", "502 5.5.1 What?");
        server.Extensions = [];

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);

        Assert.Single(server.Messages);
    }
}
