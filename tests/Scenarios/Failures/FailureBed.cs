using MoxApi.Delivery.Composing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

/// <summary>
/// A server that misbehaves once, and one beside it that does not: what is for the first is delayed, and delivered at its next attempt; what is for the
/// second arrives. The bed checks the books when it ends.
/// </summary>
internal static class FailureBed
{
    /// <summary>The steps of a session with a server that has no TLS.</summary>
    public static TheoryData<string> Steps => ["connect", "ehlo", "mail", "rcpt", "data", "body"];

    /// <summary>Sends to a server that does something at a step; returns the attempt that failed.</summary>
    public static async Task<Attempt> MisbehaveOnceAsync(TestPostgres postgres, string step, Act act, SmtpTimeouts? timeouts = null)
    {
        await using var bed = await DeliveryBed.MakeAsync(
            postgres, retries: "1s", client: new SmtpClientOptions { HostName = "mail.acme.example", Timeouts = timeouts ?? new SmtpTimeouts() });
        bed.AddDomain("bad.example.org").On(step, act);
        bed.AddDomain("good.example.org");

        var bad = await bed.SendAsync("jane@bad.example.org");
        var good = await bed.SendAsync("sam@good.example.org");
        await bed.UntilAsync(good, RecipientStatus.Delivered);
        await bed.UntilAsync(bad, RecipientStatus.Delivered);

        var events = await bed.EventsAsync(bad.Recipients[0].Id);
        Assert.Equal([EventType.MessageAccepted, EventType.MessageDelayed], events.Take(2).Select(e => e.Type));
        Assert.Equal(EventType.MessageDelivered, events[^1].Type);
        var failed = (await bed.AttemptsAsync(bad))[0];
        Assert.Equal(AttemptOutcome.Delayed, failed.Outcome);
        // The steps up to the failure are there; EHLO that fails is followed by HELO where the connection lasts.
        Assert.Contains(DeliveryBed.Steps(failed), s => s.Step == step);
        return failed;
    }

    /// <summary>
    /// Sends to a server that offers TLS, and always does something in its stead: at the step <c>starttls</c>, or at <c>tls</c>. A message goes in clear,
    /// and one that requires TLS fails; or waits, where what went wrong may pass. Returns the attempt that delivered.
    /// </summary>
    public static async Task<Attempt> MisbehaveAtTlsAsync(TestPostgres postgres, string step, Act act, bool mayPass, SmtpTimeouts? timeouts = null)
    {
        using var authority = new TestAuthority();
        var client = new SmtpClientOptions { HostName = "mail.acme.example", TrustedRoots = authority.Roots, Timeouts = timeouts ?? new SmtpTimeouts() };
        await using var bed = await DeliveryBed.MakeAsync(postgres, retries: "1s", client: client);
        var server = bed.AddDomain("example.org").Always(step, act);
        server.Certificate = authority.Issue("mx.example.org");
        server.Extensions = [.. server.Extensions, "REQUIRETLS"];

        var open = await bed.SendAsync("jane@example.org");
        var secret = await bed.SendAsync(new MessageDraft { From = null!, Text = "Hello" }, ["sam@example.org"], tls: RequireTls.Required);
        await bed.UntilAsync(open, RecipientStatus.Delivered);
        var required = await Eventually.GetAsync(async () => (await bed.AttemptsAsync(secret)).FirstOrDefault(), "an attempt that requires TLS");

        Assert.Equal(["RCPT TO:<jane@example.org>"], server.Messages.Single().Rcpts);
        var expected = mayPass ? (AttemptOutcome.Delayed, "4.7.5") : (AttemptOutcome.Failed, "5.7.30");
        Assert.Equal((expected.Item1, expected.Item2, FailureClass.Tls), (required.Outcome, required.EnhancedCode, required.FailureClass));
        var delivered = (await bed.AttemptsAsync(open))[^1];
        Assert.Null(delivered.TlsVersion);
        Assert.Contains(DeliveryBed.Steps(delivered), s => s.Step == step);
        return delivered;
    }
}
