using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpOpeningTests
{
    [Fact]
    public async Task A_connection_opens_with_the_greeting_and_EHLO_under_our_name()
    {
        await using var server = new ScriptedSmtpServer { Extensions = ["PIPELINING", "SIZE 1000"] };

        var opening = await server.TryOpenAsync();
        await using var connection = opening.Connection!;

        Assert.Equal(["S: 220 mx.test ESMTP", "C: EHLO out.acme.example", "S: 250-mx.test\n250-PIPELINING\n250 SIZE 1000"], server.Transcript);
        Assert.True(connection.CanSend);
        Assert.Null(connection.Tls);
        Assert.Equal(Remote, connection.RemoteEndPoint);
        Assert.Equal(1000, connection.Capabilities.MaxSize);
        Assert.Equal([("connect", 220, "mx.test ESMTP"), ("ehlo", 250, "mx.test\nPIPELINING\nSIZE 1000")],
            opening.Steps.Select(static s => (s.Step, s.Code, s.Reply)));
    }

    [Theory]
    [InlineData(nameof(Pace.Line))]
    [InlineData(nameof(Pace.Octet))]
    public async Task Replies_may_come_in_any_pieces(string pace)
    {
        await using var server = new ScriptedSmtpServer { Pace = Enum.Parse<Pace>(pace), Greeting = "220-mx.test\n220-Welcome\n220 ESMTP" };

        var verdict = await server.SendOneAsync();

        Assert.True(verdict.IsSuccess);
        Assert.Equal("Ok: queued as 1", verdict.Text);
    }

    [Theory]
    [InlineData("500 5.5.1 Unknown command")]
    [InlineData("502 5.5.1 Not implemented")]
    [InlineData("550 No")]
    public async Task Where_EHLO_is_refused_HELO_follows_and_nothing_is_assumed(string refusal)
    {
        await using var server = new ScriptedSmtpServer { Extensions = [] };
        server.On("ehlo", refusal);

        var opening = await server.TryOpenAsync(SmtpTlsMode.Opportunistic);
        await using var connection = opening.Connection!;
        var transaction = await connection.SendAsync(To(Jane, Sam));

        Assert.Equal(["connect", "ehlo", "helo"], opening.Steps.Select(static s => s.Step));
        Assert.Equal(new SmtpCapabilities(), connection.Capabilities);
        Assert.All(transaction.Recipients, static r => Assert.Equal(SmtpRecipientOutcome.Delivered, r.Outcome));
        Assert.Contains("C: MAIL FROM:<bounce+1@acme.example>", server.Transcript);
        Assert.Empty(server.Violations);
    }

    [Fact]
    public async Task Where_EHLO_is_refused_for_now_the_failure_is_transient_without_HELO()
    {
        await using var server = new ScriptedSmtpServer().On("ehlo", "451 4.3.0 Not now");

        var opening = await server.TryOpenAsync();

        Assert.Equal(("ehlo", 451), (opening.Failure!.Step, opening.Failure.Code));
        Assert.DoesNotContain(server.Transcript, static l => l.StartsWith("C: HELO", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_server_that_refuses_in_its_greeting_is_told_QUIT()
    {
        await using var server = new ScriptedSmtpServer { Greeting = "554 5.7.1 Your address is on our list" };

        var opening = await server.TryOpenAsync();

        Assert.Equal(("connect", 554, true), (opening.Failure!.Step, opening.Failure.Code, opening.Failure.IsPermanent));
        Assert.Equal(["connect", "quit"], opening.Steps.Select(static s => s.Step));
        Assert.Equal("C: QUIT", server.Transcript[1]);
    }

    [Fact]
    public async Task A_caller_who_gives_up_while_opening_gets_a_cancellation()
    {
        await using var server = new ScriptedSmtpServer().Always("connect", Act.Silence);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Stop);

        var opening = Connector(server).OpenAsync(Target(SmtpTlsMode.None), stop.Token);
        await server.WhenSilent;
        await stop.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => opening);
    }
}
