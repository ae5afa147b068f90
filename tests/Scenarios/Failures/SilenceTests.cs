using MoxApi.Mail.Smtp.Client;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class SilenceTests(TestPostgres postgres)
{
    private static readonly TimeSpan Short = TimeSpan.FromSeconds(1);

    [Theory, MemberData(nameof(FailureBed.Steps), MemberType = typeof(FailureBed))]
    public async Task A_server_that_falls_silent_at_a_step_is_tried_again(string step)
    {
        var failed = await FailureBed.MisbehaveOnceAsync(postgres, step, Act.Silence, Only(step));

        Assert.Equal((0, FailureClass.Network), (failed.SmtpCode, failed.FailureClass));
    }

    [Fact]
    public async Task To_a_server_that_falls_silent_at_STARTTLS_a_message_goes_in_clear_or_waits_where_it_requires_TLS() =>
        await FailureBed.MisbehaveAtTlsAsync(postgres, "starttls", Act.Silence, mayPass: true, new() { Command = Short });

    // Only the step in question is short, so a slow machine costs a further attempt at the worst.
    private static SmtpTimeouts Only(string step) => step switch
    {
        "connect" => new() { Greeting = Short },
        "ehlo" => new() { Command = Short },
        "mail" => new() { Mail = Short },
        "rcpt" => new() { Rcpt = Short },
        "data" => new() { DataInitiation = Short },
        _ => new() { FinalDot = Short },
    };
}
