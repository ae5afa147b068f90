using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class NullMxTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_null_MX_fails_at_once()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 0, ".");
        var server = bed.AddHost("example.org");

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        var attempt = (await bed.AttemptsAsync(sent)).Single();
        Assert.Equal(("5.1.10", FailureClass.DomainNotFound, 0), (attempt.EnhancedCode, attempt.FailureClass, attempt.SmtpCode));
        // The address of a domain that takes no mail is not tried.
        Assert.Empty(server.Sessions);
    }
}
