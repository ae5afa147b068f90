using MoxApi.Mail.Addresses;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Mail.Smtp.Client.SmtpRecipientOutcome;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpTransactionTests
{
    [Fact]
    public async Task With_PIPELINING_a_message_takes_two_writes_also_after_a_reset()
    {
        await using var server = Server(true).On("rcpt", "250 Ok", "250 Ok", "550 5.1.1 No");
        await using var connection = await server.OpenAsync();

        var first = await connection.SendAsync(To(Jane, Sam));
        var refused = await connection.SendAsync(To(Kim));
        var afterReset = await connection.SendAsync(To(Jane));

        Assert.Equal([Delivered, Delivered], first.Outcomes());
        Assert.Equal(["mail", "rcpt", "rcpt", "data", "body"], first.StepNames());
        Assert.Equal(["mail", "rcpt", "data"], refused.StepNames());
        Assert.Equal(["rset", "mail", "rcpt", "data", "body"], afterReset.StepNames());
        // EHLO, then envelope and content; an envelope alone; envelope and content.
        Assert.Equal(1 + 2 + 1 + 2, server.Sessions[0].Reads);
    }

    [Fact]
    public async Task Without_PIPELINING_each_command_waits_for_its_reply()
    {
        await using var server = new ScriptedSmtpServer { Extensions = [] };
        await using var connection = await server.OpenAsync();

        for (var i = 0; i < 20; i++) await connection.SendAsync(To(Jane, Sam, Kim));

        Assert.Equal(20, server.Messages.Count);
        Assert.Empty(server.Violations);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task The_conversation_is_what_the_server_said(bool pipelining)
    {
        using var authority = new TestAuthority();
        await using var server = new ScriptedSmtpServer { Certificate = authority.Issue(Host) };
        if (!pipelining) server.Extensions = ["SIZE"];
        server.On("rcpt", "250 2.1.5 Ok", "550-5.1.1 No such\n550 see help");
        var opening = await server.TryOpenAsync(SmtpTlsMode.Required, roots: authority.Roots);
        await using var connection = opening.Connection!;

        var first = await connection.SendAsync(To(Jane, Sam));
        var second = await connection.SendAsync(To(Kim));
        var quit = await connection.QuitAsync(Stop);

        SmtpStep[] conversation = [.. opening.Steps, .. first.Steps, .. second.Steps, quit!];
        Assert.Equal(server.Transcript.Where(static l => l.StartsWith("S: ", StringComparison.Ordinal)).Select(static l => l[3..]),
            conversation.Where(static s => s.Step != "tls").Select(AsSaid));
        Assert.Equal([("rcpt", "jane@example.org"), ("rcpt", "sam@example.org"), ("rcpt", "kim@example.org")],
            conversation.Where(static s => s.Address is not null).Select(static s => (s.Step, s.Address!)));
        Assert.All(conversation, static s => Assert.InRange(s.Ms, 0, 60_000));
        Assert.False(connection.CanSend);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Each_recipient_gets_the_verdict_on_it(bool pipelining)
    {
        await using var server = Server(pipelining).On("rcpt", "550 5.1.1 No such user", "250 2.1.5 Ok", "450 4.2.0 Greylisted");
        await using var connection = await server.OpenAsync();

        var transaction = await connection.SendAsync(To(Jane, Sam, Kim));

        Assert.Equal([PermanentFailure, Delivered, TransientFailure], transaction.Outcomes());
        Assert.Equal([("rcpt", 550), ("body", 250), ("rcpt", 450)], transaction.Recipients.Select(static r => (r.Verdict!.Step, r.Verdict.Code)));
        Assert.Equal([Jane, Sam, Kim], transaction.Recipients.Select(static r => r.Recipient));
        Assert.Equal(["RCPT TO:<sam@example.org>"], Assert.Single(server.Messages).Rcpts);
    }

    [Theory, InlineData("452", true), InlineData("452", false), InlineData("552", true), InlineData("552", false)]
    public async Task Too_many_recipients_fails_nobody(string code, bool pipelining)
    {
        await using var server = Server(pipelining).On("rcpt", "250 Ok", $"{code} {code[0]}.5.3 Too many recipients", "250 Ok", $"{code} Too many");
        await using var connection = await server.OpenAsync();

        var first = await connection.SendAsync(To(Jane, Sam, Kim, Jane));
        var further = await connection.SendAsync(To([.. first.Recipients.Where(static r => r.Outcome == NotTried).Select(static r => r.Recipient)]));

        Assert.Equal([Delivered, NotTried, Delivered, NotTried], first.Outcomes());
        Assert.Equal([Delivered, Delivered], further.Outcomes());
        Assert.Equal(2, server.Messages.Count);
    }

    [Theory, InlineData("452 4.3.1 No room", TransientFailure), InlineData("552 5.2.2 Mailbox full", PermanentFailure)]
    public async Task A_452_or_552_for_the_first_recipient_is_about_that_recipient(string reply, SmtpRecipientOutcome outcome)
    {
        await using var server = Server(true).On("rcpt", reply);
        await using var connection = await server.OpenAsync();

        var transaction = await connection.SendAsync(To(Jane, Sam));

        Assert.Equal([outcome, Delivered], transaction.Outcomes());
    }

    [Fact]
    public async Task Recipients_beyond_RCPTMAX_are_left_for_a_further_transaction()
    {
        await using var server = new ScriptedSmtpServer { Extensions = ["LIMITS RCPTMAX=2", "PIPELINING"] };
        await using var connection = await server.OpenAsync();

        var transaction = await connection.SendAsync(To(Jane, Sam, Kim));

        Assert.Equal([Delivered, Delivered, NotTried], transaction.Outcomes());
        Assert.Null(transaction.Recipients[2].Verdict);
        Assert.Equal(2, Assert.Single(server.Messages).Rcpts.Count);
    }

    [Theory, InlineData(true), InlineData(false)]
    public async Task Where_no_recipient_is_left_there_is_no_content_and_the_connection_stays_good(bool pipelining)
    {
        await using var server = Server(pipelining).On("rcpt", "550 5.1.1 No", "450 4.2.0 Later");
        await using var connection = await server.OpenAsync();

        var refused = await connection.SendAsync(To(Jane, Sam));
        var next = await connection.SendAsync(To(Kim));

        Assert.Equal([PermanentFailure, TransientFailure], refused.Outcomes());
        Assert.Equal([Delivered], next.Outcomes());
        Assert.Equal("rset", next.Steps[0].Step);
        Assert.Single(server.Messages);
    }

    [Fact]
    public async Task A_server_that_asks_for_content_for_nobody_gets_a_lone_dot()
    {
        await using var server = Server(true).On("rcpt", "550 5.1.1 No").On("data", "354 go").On("body", "554 5.5.1 No recipients");
        await using var connection = await server.OpenAsync();

        var refused = await connection.SendAsync(To(Jane));
        var next = await connection.SendAsync(To(Kim));

        Assert.Equal([PermanentFailure], refused.Outcomes());
        Assert.Equal("rcpt", refused.Recipients[0].Verdict!.Step);
        Assert.False(refused.FinalDotSent);
        Assert.Equal([Delivered], next.Outcomes());
        Assert.Empty(server.Messages[0].Content);
    }

    [Fact]
    public async Task A_server_that_refuses_MAIL_and_yet_asks_for_content_gets_none()
    {
        await using var server = Server(true).On("mail", "550 5.7.1 No").On("rcpt", "250 Ok").On("data", "354 go");
        await using var connection = await server.OpenAsync();

        var transaction = await connection.SendAsync(To(Jane));

        Assert.Equal(("mail", 550), (transaction.Recipients[0].Verdict!.Step, transaction.Recipients[0].Verdict!.Code));
        Assert.False(connection.CanSend);
        Assert.Empty(server.Messages);
    }

    [Theory]
    [InlineData("mail", true)]
    [InlineData("mail", false)]
    [InlineData("data", true)]
    [InlineData("data", false)]
    [InlineData("body", true)]
    [InlineData("body", false)]
    public async Task After_a_refusal_the_connection_carries_the_next_message(string step, bool pipelining)
    {
        await using var server = Server(pipelining).On(step, "451 4.3.0 Later");
        await using var connection = await server.OpenAsync();

        var refused = await connection.SendAsync(To(Jane, Sam));
        var next = await connection.SendAsync(To(Jane, Sam));

        Assert.Equal([TransientFailure, TransientFailure], refused.Outcomes());
        Assert.All(refused.Recipients, r => Assert.Equal(step, r.Verdict!.Step));
        Assert.Equal([Delivered, Delivered], next.Outcomes());
        Assert.Equal(step == "data", next.Steps[0].Step == "rset");
        Assert.Single(server.Sessions);
        Assert.Empty(server.Violations);
    }

    [Fact]
    public async Task Many_recipients_leave_in_batches_and_each_gets_its_own_verdict()
    {
        await using var server = Server(true).On("rcpt", line => line.Contains("7@", StringComparison.Ordinal) ? (Act)"550 5.1.1 No" : null);
        await using var connection = await server.OpenAsync();
        var many = Enumerable.Range(0, 1010).Select(static i => MailAddress.Parse($"user{i}@example.org")).ToArray();

        var transaction = await connection.SendAsync(To(many));

        Assert.Equal(101, transaction.Outcomes().Count(static o => o == PermanentFailure));
        Assert.All(transaction.Recipients, static r => Assert.Equal(r.Recipient.LocalPart.EndsWith('7'), r.Outcome == PermanentFailure));
        Assert.Equal(909, Assert.Single(server.Messages).Rcpts.Count);
    }

    [Fact]
    public async Task An_idle_connection_that_the_server_closed_says_nothing_about_the_message()
    {
        await using var server = Server(true).On("body", ((Act)"250 Ok").ThenDisconnect(), Act.Raw("250 Ok\r\n421 4.4.2 Idle for too long\r\n").ThenDisconnect());
        await using var closed = await server.OpenAsync();
        await using var saidSo = await server.OpenAsync();

        await closed.SendAsync(To(Jane));
        await saidSo.SendAsync(To(Jane));
        var afterClose = await closed.SendAsync(To(Jane, Sam));
        var after421 = await saidSo.SendAsync(To(Jane, Sam));

        Assert.Equal([NotTried, NotTried], afterClose.Outcomes());
        Assert.Equal([NotTried, NotTried], after421.Outcomes());
        Assert.Equal(421, after421.Recipients[0].Verdict!.Code);
        Assert.False(closed.CanSend || saidSo.CanSend);
    }

    [Fact]
    public async Task A_connection_carries_MAILMAX_messages()
    {
        await using var server = new ScriptedSmtpServer { Extensions = ["LIMITS MAILMAX=2"] };
        await using var connection = await server.OpenAsync();

        await connection.SendAsync(To(Jane));
        Assert.True(connection.CanSend);
        await connection.SendAsync(To(Jane));

        Assert.False(connection.CanSend);
        await Assert.ThrowsAsync<InvalidOperationException>(() => connection.SendAsync(To(Jane)));
        Assert.Equal(221, (await connection.QuitAsync(Stop))!.Code);
        Assert.Null(await connection.QuitAsync(Stop));
    }

    private static ScriptedSmtpServer Server(bool pipelining) => new() { Extensions = pipelining ? ["PIPELINING", "SIZE"] : ["SIZE"] };

    /// <summary>A step as the server's own transcript has it; of an enhanced code that all lines share only the first is kept.</summary>
    private static string AsSaid(SmtpStep step)
    {
        var lines = step.Reply.Split('\n');
        return string.Join('\n', lines.Select((line, i) => $"{step.Code}{(i == lines.Length - 1 ? ' ' : '-')}{line}"));
    }
}
