using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class GarbageTests(TestPostgres postgres)
{
    [Theory, MemberData(nameof(FailureBed.Steps), MemberType = typeof(FailureBed))]
    public async Task A_server_that_answers_garbage_at_a_step_is_tried_again(string step)
    {
        var failed = await FailureBed.MisbehaveOnceAsync(postgres, step, Act.Raw("\0\u0001\u00ff no reply at all\r\n"));

        Assert.Equal(FailureClass.Protocol, failed.FailureClass);
    }

    [Fact]
    public async Task To_a_server_that_answers_garbage_at_STARTTLS_a_message_goes_in_clear_unless_it_requires_TLS() =>
        await FailureBed.MisbehaveAtTlsAsync(postgres, "starttls", Act.Raw("\0\u0001\u00ff no reply at all\r\n"), mayPass: false);
}
