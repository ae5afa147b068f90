using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class DisconnectTests(TestPostgres postgres)
{
    [Theory, MemberData(nameof(FailureBed.Steps), MemberType = typeof(FailureBed))]
    public async Task A_server_that_hangs_up_at_a_step_is_tried_again(string step)
    {
        var failed = await FailureBed.MisbehaveOnceAsync(postgres, step, Act.Disconnect);

        Assert.Equal((0, FailureClass.Network), (failed.SmtpCode, failed.FailureClass));
    }

    [Fact]
    public async Task To_a_server_that_hangs_up_at_STARTTLS_a_message_goes_in_clear_or_waits_where_it_requires_TLS() =>
        await FailureBed.MisbehaveAtTlsAsync(postgres, "starttls", Act.Disconnect, mayPass: true);
}
