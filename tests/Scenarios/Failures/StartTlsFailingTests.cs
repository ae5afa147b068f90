using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

/// <summary>A server that offers TLS and cannot do it: STARTTLS is refused, or the handshake goes wrong.</summary>
public class StartTlsFailingTests(TestPostgres postgres)
{
    [Theory, InlineData("454 4.7.0 TLS not available", true), InlineData("501 5.5.4 Syntax error", false), InlineData("250 2.0.0 Ok, but not now", false)]
    public async Task Where_STARTTLS_is_refused_a_message_goes_in_clear_unless_it_requires_TLS(string reply, bool mayPass)
    {
        var delivered = await FailureBed.MisbehaveAtTlsAsync(postgres, "starttls", reply, mayPass);

        Assert.Equal(["connect", "ehlo", "starttls", "quit", "connect", "ehlo", "mail", "rcpt", "data", "body"], Steps(delivered));
    }

    [Fact]
    public async Task Where_the_handshake_is_none_a_message_goes_in_clear_unless_it_requires_TLS() =>
        await HandshakeFailsAsync(Act.Raw("this is no handshake\r\n"), mayPass: false);

    [Fact]
    public async Task Where_the_server_hangs_up_in_the_handshake_a_message_goes_in_clear_or_waits_where_it_requires_TLS() =>
        await HandshakeFailsAsync(Act.Disconnect, mayPass: true);

    [Fact]
    public async Task Where_the_server_falls_silent_in_the_handshake_a_message_goes_in_clear_or_waits_where_it_requires_TLS() =>
        await HandshakeFailsAsync(Act.Silence, mayPass: true, new SmtpTimeouts { Tls = TimeSpan.FromSeconds(1) });

    private async Task HandshakeFailsAsync(Act act, bool mayPass, SmtpTimeouts? timeouts = null)
    {
        var delivered = await FailureBed.MisbehaveAtTlsAsync(postgres, "tls", act, mayPass, timeouts);

        Assert.Equal(["connect", "ehlo", "starttls", "tls", "connect", "ehlo", "mail", "rcpt", "data", "body"], Steps(delivered));
    }

    private static IEnumerable<string> Steps(Attempt attempt) => DeliveryBed.Steps(attempt).Select(s => s.Step).Where(s => s != "mx");
}
