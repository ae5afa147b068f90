using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Mail.Smtp.Client.SmtpRecipientOutcome;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

/// <summary>A caller may have enough of a server before its time is over; then the conversation so far is kept, as after a timeout.</summary>
public class SmtpGiveUpTests
{
    [Theory, InlineData("connect"), InlineData("ehlo"), InlineData("starttls")]
    public async Task Opening_a_connection_can_be_given_up(string step)
    {
        using var authority = new TestAuthority();
        await using var server = new ScriptedSmtpServer { Certificate = authority.Issue(Host) };
        server.On(step, Act.Silence);
        using var giveUp = new CancellationTokenSource();

        var opening = Connector(server).OpenAsync(Target(SmtpTlsMode.Opportunistic), Stop, giveUp.Token);
        await server.WhenSilent.WaitAsync(Stop);
        await giveUp.CancelAsync();
        var failure = (await opening).Failure!;

        Assert.Equal((SmtpFault.TimedOut, step, true), (failure.Fault, failure.Step, failure.IsTransient));
        Assert.Equal((step, failure.Text), ((await opening).Steps[^1].Step, (await opening).Steps[^1].Reply));
    }

    [Theory, InlineData("mail"), InlineData("rcpt"), InlineData("data")]
    public async Task A_transaction_can_be_given_up_before_its_final_dot(string step)
    {
        // Not pipelined: so the client has read the last reply when the server falls silent.
        await using var server = new ScriptedSmtpServer { Extensions = [] };
        server.On(step, Act.Silence);
        await using var connection = await server.OpenAsync();
        using var giveUp = new CancellationTokenSource();

        var sending = connection.SendAsync(To(Jane), Hello, null, Stop, giveUp.Token);
        await server.WhenSilent.WaitAsync(Stop);
        await giveUp.CancelAsync();
        var transaction = await sending;

        Assert.Equal([TransientFailure], transaction.Outcomes());
        Assert.Equal((SmtpFault.TimedOut, step), (transaction.Recipients[0].Verdict!.Fault, transaction.Recipients[0].Verdict!.Step));
        Assert.Equal((step, false, false, false), (transaction.Steps[^1].Step, transaction.FinalDotSent, transaction.IsAnswered, connection.CanSend));
    }

    [Fact]
    public async Task Nothing_is_given_up_after_the_final_dot()
    {
        await using var server = new ScriptedSmtpServer();
        var gate = new TaskCompletionSource();
        server.On("body", ((Act)"250 2.0.0 Ok").After(gate.Task));
        await using var connection = await server.OpenAsync();
        using var giveUp = new CancellationTokenSource();

        var sending = connection.SendAsync(To(Jane), Hello, null, Stop, giveUp.Token);
        await Eventually.HoldsAsync(() => Task.FromResult(server.Messages.Count == 1), "the final dot");
        await giveUp.CancelAsync();
        gate.SetResult();

        Assert.Equal([Delivered], (await sending).Outcomes());
    }
}
