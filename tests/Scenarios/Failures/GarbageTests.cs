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
}
