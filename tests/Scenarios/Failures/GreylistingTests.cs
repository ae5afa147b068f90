using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class GreylistingTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_message_that_is_greylisted_is_delivered_at_its_next_attempt()
    {
        var failed = await FailureBed.MisbehaveOnceAsync(postgres, "rcpt", "450 4.2.0 Greylisted, please come back");

        Assert.Equal((450, "4.2.0", FailureClass.Greylisted), (failed.SmtpCode, failed.EnhancedCode, failed.FailureClass));
    }
}
