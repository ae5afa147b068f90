using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class EndlessReplyTests(TestPostgres postgres)
{
    [Theory, MemberData(nameof(FailureBed.Steps), MemberType = typeof(FailureBed))]
    public async Task A_server_whose_reply_never_ends_is_cut_off_and_tried_again(string step)
    {
        var failed = await FailureBed.MisbehaveOnceAsync(postgres, step, Act.Endless("250-and so on\r\n"));

        Assert.Equal(FailureClass.Protocol, failed.FailureClass);
        Assert.InRange(failed.Conversation.Length, 1, 100_000);
    }

    [Fact]
    public async Task To_a_server_that_never_ends_its_reply_at_STARTTLS_a_message_goes_in_clear_unless_it_requires_TLS() =>
        await FailureBed.MisbehaveAtTlsAsync(postgres, "starttls", Act.Endless("220-and so on\r\n"), mayPass: false);
}
