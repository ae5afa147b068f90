using Microsoft.Extensions.Time.Testing;
using MoxApi.Mail.Smtp.Client;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Mail.Smtp.SmtpClientFixture;

namespace MoxApi.Tests.Mail.Smtp;

public class SmtpTlsTests
{
    [Fact]
    public async Task Opportunistic_TLS_takes_any_certificate_and_says_that_nobody_vouches_for_it()
    {
        await using var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned("other.example") };

        var opening = await server.TryOpenAsync(SmtpTlsMode.Opportunistic);
        await using var connection = opening.Connection!;
        var transaction = await connection.SendAsync(To(Jane));

        Assert.Equal(["connect", "ehlo", "starttls", "tls", "ehlo"], opening.Steps.Select(static s => s.Step));
        Assert.Equal(("1.3", "none"), (connection.Tls!.Version, connection.Tls.Verified));
        Assert.StartsWith("TLS_", connection.Tls.Cipher);
        Assert.Equal(SmtpRecipientOutcome.Delivered, transaction.Recipients[0].Outcome);
        Assert.True(server.Sessions[0].IsTls);
        Assert.Equal(Host, server.Sessions[0].ServerName);
        Assert.Empty(server.Violations);
    }

    [Theory]
    [InlineData(SmtpTlsMode.Opportunistic)]
    [InlineData(SmtpTlsMode.Required)]
    public async Task A_certificate_of_a_trusted_authority_for_the_host_is_verified(SmtpTlsMode mode)
    {
        using var authority = new TestAuthority();
        await using var server = new ScriptedSmtpServer { Certificate = authority.Issue(Host) };

        var opening = await server.TryOpenAsync(mode, roots: authority.Roots);
        await using var connection = opening.Connection!;

        Assert.Equal("pkix", connection.Tls!.Verified);
    }

    [Fact]
    public async Task What_the_server_offered_before_TLS_is_forgotten()
    {
        await using var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned(Host), Extensions = ["SIZE 5"] };
        server.On("ehlo", "250-mx.test\n250-STARTTLS\n250-SIZE 1\n250 PIPELINING");

        var opening = await server.TryOpenAsync(SmtpTlsMode.Opportunistic);
        await using var connection = opening.Connection!;

        Assert.Equal(5, connection.Capabilities.MaxSize);
        Assert.False(connection.Capabilities.Pipelining || connection.Capabilities.StartTls);
    }

    [Fact]
    public async Task Without_TLS_STARTTLS_is_not_said()
    {
        await using var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned(Host) };

        await using var connection = await server.OpenAsync();

        Assert.Null(connection.Tls);
        Assert.DoesNotContain("C: STARTTLS", server.Transcript);
    }

    public static TheoryData<string, string> TlsFailures => new()
    {
        { "starttls", "454 4.7.0 Not now" },
        { "starttls", "502 5.5.1 Not implemented" },
        { "starttls", "421 4.7.0 Go away" },
        { "starttls", "disconnect" },
        { "starttls", "inject" },
        { "tls", "disconnect" },
        { "tls", "garbage" },
    };

    [Theory, MemberData(nameof(TlsFailures))]
    public async Task Where_opportunistic_TLS_fails_a_new_connection_goes_on_in_clear(string step, string how)
    {
        await using var server = Failing(step, how);

        var opening = await server.TryOpenAsync(SmtpTlsMode.Opportunistic);
        await using var connection = opening.Connection!;
        var transaction = await connection.SendAsync(To(Jane));

        Assert.Null(connection.Tls);
        Assert.Equal(SmtpRecipientOutcome.Delivered, transaction.Recipients[0].Outcome);
        Assert.Equal(2, server.Sessions.Count);
        Assert.DoesNotContain("C: STARTTLS", server.Sessions[1].Transcript);
        Assert.Equal(["connect", "ehlo"], opening.Steps.Select(static s => s.Step).TakeLast(2));
        Assert.Contains(opening.Steps, s => s.Step == (how == "inject" ? "tls" : step));
    }

    [Theory, MemberData(nameof(TlsFailures))]
    public async Task Where_required_TLS_fails_there_is_no_connection(string step, string how)
    {
        using var authority = new TestAuthority();
        await using var server = Failing(step, how);
        server.Certificate = authority.Issue(Host);

        var opening = await server.TryOpenAsync(SmtpTlsMode.Required, roots: authority.Roots);

        Assert.False(opening.IsOpen);
        Assert.Equal((SmtpFault.TlsFailed, "4.7.5", true), (opening.Failure.Fault, opening.Failure.Enhanced.ToString(), opening.Failure.IsTransient));
        Assert.Single(server.Sessions);
        Assert.DoesNotContain(server.Transcript, static l => l.StartsWith("C: MAIL", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_handshake_that_hangs_is_given_a_minute()
    {
        await using var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned(Host) }.Always("tls", Act.Silence);
        var time = new FakeTimeProvider();
        var patient = Timeout.InfiniteTimeSpan;
        var timeouts = new SmtpTimeouts { Greeting = patient, Command = patient, Write = patient };

        var opening = server.TryOpenAsync(SmtpTlsMode.Required, time, timeouts: timeouts);
        await time.AdvanceUntilAsync(opening, TimeSpan.FromSeconds(10));

        var failure = (await opening).Failure!;
        Assert.Equal(("tls", SmtpFault.TlsFailed), (failure.Step, failure.Fault));
        Assert.Contains("60 s", failure.Text);
    }

    [Fact]
    public async Task Required_TLS_that_is_not_offered_is_no_connection()
    {
        await using var server = new ScriptedSmtpServer();

        var opening = await server.TryOpenAsync(SmtpTlsMode.Required);

        Assert.Equal((SmtpFault.TlsUnavailable, "starttls"), (opening.Failure!.Fault, opening.Failure.Step));
    }

    [Theory]
    [InlineData("other.example", true)]
    [InlineData(Host, false)]
    public async Task Required_TLS_refuses_a_certificate_for_another_name_or_of_an_unknown_authority(string name, bool trusted)
    {
        using var authority = new TestAuthority();
        using var stranger = new TestAuthority();
        await using var server = new ScriptedSmtpServer { Certificate = authority.Issue(name) };

        var opening = await server.TryOpenAsync(SmtpTlsMode.Required, roots: trusted ? authority.Roots : stranger.Roots);

        Assert.Equal((SmtpFault.TlsFailed, "tls"), (opening.Failure!.Fault, opening.Failure.Step));
        Assert.Contains("The certificate is not valid for mx_1.example.org", opening.Failure.Text);
        Assert.Contains(trusted ? "another name" : "PartialChain", opening.Failure.Text);
    }

    [Fact]
    public async Task REQUIRETLS_is_asked_for_only_in_a_verified_session()
    {
        using var authority = new TestAuthority();
        await using var server = new ScriptedSmtpServer { Certificate = authority.Issue(Host), Extensions = ["REQUIRETLS"] };
        await using var verified = (await server.TryOpenAsync(SmtpTlsMode.Required, roots: authority.Roots)).Connection!;
        await using var unverified = (await server.TryOpenAsync(SmtpTlsMode.Opportunistic)).Connection!;
        await using var clear = await server.OpenAsync();
        var envelope = To(Jane) with { RequireTls = true };

        Assert.Equal([SmtpRecipientOutcome.Delivered], (await verified.SendAsync(envelope)).Outcomes());
        Assert.Equal("5.7.30", (await unverified.SendAsync(envelope)).Recipients[0].Verdict!.Enhanced.ToString());
        Assert.Equal("5.7.30", (await clear.SendAsync(envelope)).Recipients[0].Verdict!.Enhanced.ToString());
        Assert.Equal("MAIL FROM:<bounce+1@acme.example> REQUIRETLS", Assert.Single(server.Messages).Mail);
    }

    private static ScriptedSmtpServer Failing(string step, string how)
    {
        var server = new ScriptedSmtpServer { Certificate = TestAuthority.SelfSigned(Host) };
        return server.On(step, how switch
        {
            "disconnect" => Act.Disconnect,
            // CVE-2011-0411: as if the answers to what comes in TLS had been given already.
            "inject" => Act.Raw("220 2.0.0 Go ahead\r\n250 mx.test\r\n"),
            "garbage" => Act.Raw("this is no handshake\r\n"),
            _ => how,
        });
    }
}
