using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

/// <summary>Everything that can go wrong, at every step, with and without PIPELINING.</summary>
public class SmtpFailureTests
{
    public static TheoryData<string, bool> Steps
    {
        get
        {
            var data = new TheoryData<string, bool>();
            foreach (var step in new[] { "connect", "ehlo", "mail", "rcpt", "data", "body" })
            {
                data.Add(step, true);
                data.Add(step, false);
            }
            return data;
        }
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_4xx_is_a_transient_failure_at_its_step(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, "451 4.3.2 Try\u0007 later");

        var verdict = await server.SendOneAsync();

        Assert.Equal((step, 451, "4.3.2", "Try later"), (verdict.Step, verdict.Code, verdict.Enhanced.ToString(), verdict.Text));
        Assert.True(verdict.IsTransient && !verdict.IsPermanent && verdict.Fault == SmtpFault.None);
        Assert.Empty(server.Violations);
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_5xx_is_a_permanent_failure_at_its_step(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, "550 5.7.1 No").Always("helo", "550 5.7.1 No");

        var verdict = await server.SendOneAsync();

        Assert.Equal((step == "ehlo" ? "helo" : step, 550, "5.7.1", "No"), (verdict.Step, verdict.Code, verdict.Enhanced.ToString(), verdict.Text));
        Assert.True(verdict.IsPermanent);
        Assert.Empty(server.Violations);
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_connection_that_closes_is_a_transient_fault_at_its_step(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, Act.Disconnect);

        var verdict = await server.SendOneAsync();

        Assert.Equal((step, SmtpFault.Disconnected, 0, "4.4.2"), (verdict.Step, verdict.Fault, verdict.Code, verdict.Enhanced.ToString()));
        Assert.True(verdict.IsTransient);
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_server_that_falls_silent_is_waited_for_as_long_as_the_step_may_take(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, Act.Silence);
        var time = new FakeTimeProvider();
        var start = time.GetUtcNow();

        var sending = server.SendOneAsync(time, Only(step));
        await time.AdvanceUntilAsync(sending, TimeSpan.FromSeconds(10));

        var verdict = await sending;
        Assert.Equal((step, SmtpFault.TimedOut, true), (verdict.Step, verdict.Fault, verdict.IsTransient));
        Assert.Contains($"{Minutes(step) * 60} s", verdict.Text);
        Assert.True(time.GetUtcNow() - start >= TimeSpan.FromMinutes(Minutes(step)));
    }

    [Fact]
    public async Task A_server_that_takes_no_more_of_the_content_is_waited_for_3_minutes()
    {
        await using var server = Server(true).Always("data", ((Act)"354 go").ThenStopReading());
        var time = new FakeTimeProvider();
        await using var connection = (await server.TryOpenAsync(time: time, timeouts: Only("write"))).Connection!;

        var sending = connection.SendAsync(To(Jane), Content("Subject: big\r\n\r\n", new string('x', 30_000_000)), null, Stop);
        await time.AdvanceUntilAsync(sending, TimeSpan.FromSeconds(10));

        var verdict = (await sending).Recipients[0].Verdict!;
        Assert.Equal(("body", SmtpFault.TimedOut), (verdict.Step, verdict.Fault));
        Assert.Contains("180 s", verdict.Text);
    }

    [Theory, InlineData("mail"), InlineData("rcpt"), InlineData("data")]
    public async Task A_transaction_has_half_an_hour_to_its_final_dot_however_slow_each_step_may_be(string step)
    {
        var time = new FakeTimeProvider();
        await using var server = Server(false).Always(step, Act.Silence);
        var opening = await server.TryOpenAsync(time: time, timeouts: Only("transaction"));
        await using var connection = opening.Connection!;

        var sending = connection.SendAsync(To(Jane));
        await server.WhenSilent.WaitAsync(TimeSpan.FromMinutes(1), TimeProvider.System, Stop);
        await time.AdvanceUntilAsync(sending, TimeSpan.FromMinutes(1));

        var transaction = await sending;
        var verdict = transaction.Recipients[0].Verdict!;
        Assert.Equal((step, SmtpFault.TimedOut, true), (verdict.Step, verdict.Fault, verdict.IsTransient));
        Assert.Equal((step, verdict.Text), (transaction.Steps[^1].Step, transaction.Steps[^1].Reply));
        Assert.Contains("30 minutes", verdict.Text, StringComparison.Ordinal);
        Assert.False(transaction.FinalDotSent);
        Assert.False(connection.CanSend);
    }

    [Fact]
    public async Task The_answer_to_the_final_dot_is_waited_for_beyond_that()
    {
        var time = new FakeTimeProvider();
        var gate = new TaskCompletionSource();
        await using var server = Server(true).Always("body", ((Act)"250 2.0.0 Ok").After(gate.Task));
        var opening = await server.TryOpenAsync(time: time, timeouts: Only("transaction"));
        await using var connection = opening.Connection!;

        var sending = connection.SendAsync(To(Jane));
        while (server.Messages.Count == 0) await Task.Delay(TimeSpan.FromMilliseconds(5), TimeProvider.System, Stop);
        time.Advance(TimeSpan.FromMinutes(45));
        gate.SetResult();

        Assert.Equal(SmtpRecipientOutcome.Delivered, (await sending).Recipients[0].Outcome);
    }

    /// <summary>Only one step has a deadline, the one of the standard: whatever the machine's speed, no other can pass.</summary>
    private static SmtpTimeouts Only(string step)
    {
        var standard = new SmtpTimeouts();
        TimeSpan For(TimeSpan timeout, params string[] steps) => steps.Contains(step) ? timeout : Timeout.InfiniteTimeSpan;
        return new SmtpTimeouts
        {
            Greeting = For(standard.Greeting, "connect"),
            Command = For(standard.Command, "ehlo"),
            Tls = For(standard.Tls, "tls"),
            Mail = For(standard.Mail, "mail"),
            Rcpt = For(standard.Rcpt, "rcpt"),
            DataInitiation = For(standard.DataInitiation, "data"),
            Write = For(standard.Write, "write"),
            FinalDot = For(standard.FinalDot, "body"),
            Transaction = For(standard.Transaction, "transaction"),
        };
    }

    // RFC 5321 §4.5.3.2: 10 minutes for the final dot, 2 for DATA, 5 for the others.
    private static int Minutes(string step) => step switch
    {
        "body" => 10,
        "data" => 2,
        _ => 5,
    };

    [Theory, MemberData(nameof(Steps))]
    public async Task A_server_that_sends_garbage_breaks_the_protocol(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, Act.Raw("HTTP/1.1 400 Bad Request\r\n\r\n"));

        var verdict = await server.SendOneAsync();

        Assert.Equal((step, SmtpFault.ProtocolViolation, true), (verdict.Step, verdict.Fault, verdict.IsTransient));
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_reply_without_end_is_cut_off(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, Act.Endless("250-and so on\r\n"));

        Assert.Equal((step, SmtpFault.ProtocolViolation), await FaultAsync(server));
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_line_without_end_is_cut_off(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, Act.Endless("250 and so on "));

        Assert.Equal((step, SmtpFault.ProtocolViolation), await FaultAsync(server));
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_reply_whose_codes_differ_breaks_the_protocol(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, "250-one\n550 other");

        Assert.Equal((step, SmtpFault.ProtocolViolation), await FaultAsync(server));
    }

    [Theory, MemberData(nameof(Steps))]
    public async Task A_421_ends_the_connection_at_any_step(string step, bool pipelining)
    {
        await using var server = Server(pipelining).Always(step, "421 4.3.2 Shutting down");

        var opening = await server.TryOpenAsync();
        if (!opening.IsOpen)
        {
            Assert.Equal((step, 421), (opening.Failure.Step, opening.Failure.Code));
            return;
        }
        await using var connection = opening.Connection;
        var transaction = await connection.SendAsync(To(Jane, Sam));

        Assert.All(transaction.Recipients, r => Assert.Equal((step, 421, true), (r.Verdict!.Step, r.Verdict.Code, r.Verdict.IsTransient)));
        Assert.False(connection.CanSend);
        Assert.Equal((step, 421), (transaction.Steps[^1].Step, transaction.Steps[^1].Code));
        Assert.DoesNotContain(transaction.Recipients, transaction.IsAmbiguous);
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.SendAsync(To(Jane)));
    }

    [Theory]
    [InlineData("mail", "354 what?")]
    [InlineData("rcpt", "354 what?")]
    [InlineData("data", "250 Ok")]
    [InlineData("body", "354 what?")]
    public async Task A_reply_that_makes_no_sense_at_its_place_breaks_the_protocol(string step, string reply)
    {
        await using var server = Server(true).Always(step, reply);

        Assert.Equal((step, SmtpFault.ProtocolViolation), await FaultAsync(server));
    }

    [Fact]
    public async Task A_reply_that_nothing_asked_for_keeps_the_content_back()
    {
        await using var server = Server(true).Always("data", Act.Raw("354 go\r\n250 2.0.0 delivered, believe me\r\n"));

        await using var connection = await server.OpenAsync();
        var transaction = await connection.SendAsync(To(Jane));

        Assert.Equal(("body", SmtpFault.ProtocolViolation), (transaction.Recipients[0].Verdict!.Step, transaction.Recipients[0].Verdict!.Fault));
        Assert.False(transaction.FinalDotSent);
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task An_answer_that_never_came_to_the_final_dot_is_ambiguous_and_one_before_it_is_not()
    {
        await using var server = Server(true).On("body", Act.Disconnect).On("data", "354 go", Act.Disconnect);
        await using var first = await server.OpenAsync();
        await using var second = await server.OpenAsync();

        var after = await first.SendAsync(To(Jane));
        var before = await second.SendAsync(To(Jane));

        Assert.True(after.FinalDotSent && after.Recipients.Any(after.IsAmbiguous));
        Assert.False(before.FinalDotSent || before.Recipients.Any(before.IsAmbiguous));
        Assert.Equal("hello", Assert.Single(server.Messages).Text[9..14]);
    }

    [Fact]
    public async Task A_server_that_stops_reading_in_the_content_is_asked_why()
    {
        await using var server = Server(true).Always("data", ((Act)"354 go").ThenInterrupt("552 5.3.4 Too big for us"));
        await using var connection = await server.OpenAsync();

        var transaction = await connection.SendAsync(To(Jane), Content("Subject: big\r\n\r\n", new string('x', 9_000_000)), null, Stop);

        var verdict = transaction.Recipients[0].Verdict!;
        Assert.Equal(("body", 552, true), (verdict.Step, verdict.Code, verdict.IsPermanent));
        Assert.False(transaction.FinalDotSent);
        Assert.False(connection.CanSend);
    }

    [Fact]
    public async Task A_host_that_refuses_connections_is_a_step_with_code_0()
    {
        ScriptedSmtpServer gone;
        await using (gone = Server(true))
        {
        }

        var opening = await gone.TryOpenAsync();

        Assert.Equal((SmtpFault.ConnectFailed, "4.4.1"), (opening.Failure!.Fault, opening.Failure.Enhanced.ToString()));
        var step = Assert.Single(opening.Steps);
        Assert.Equal(("connect", 0), (step.Step, step.Code));
        Assert.Contains("192.0.2.10:25", step.Reply);
    }

    [Fact]
    public async Task An_address_that_is_not_public_is_a_step_with_code_0()
    {
        await using var server = Server(true);
        var target = new SmtpTarget(server.EndPoint, Host);

        var opening = await Connector(server).OpenAsync(target, Stop);
        var allowed = await Connector(server).OpenAsync(target with { AllowPrivate = true }, Stop);

        Assert.Equal((SmtpFault.AddressRefused, 0), (opening.Failure!.Fault, Assert.Single(opening.Steps).Code));
        Assert.True(allowed.IsOpen);
        await allowed.Connection.DisposeAsync();
        Assert.Single(server.Sessions);
    }

    private static ScriptedSmtpServer Server(bool pipelining) => new() { Extensions = pipelining ? ["PIPELINING", "SIZE"] : ["SIZE"] };

    private static async Task<(string, SmtpFault)> FaultAsync(ScriptedSmtpServer server)
    {
        var verdict = await server.SendOneAsync();
        return (verdict.Step, verdict.Fault);
    }
}
