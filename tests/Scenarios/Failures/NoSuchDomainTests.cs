using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class NoSuchDomainTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_domain_that_does_not_exist_fails_at_once()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);

        var sent = await bed.SendAsync("jane@nowhere.example.org");
        await bed.UntilAsync(sent, RecipientStatus.Failed);

        var attempt = (await bed.AttemptsAsync(sent)).Single();
        Assert.Equal(("5.1.2", FailureClass.DomainNotFound, 0), (attempt.EnhancedCode, attempt.FailureClass, attempt.SmtpCode));
        Assert.Equal("mx", DeliveryBed.Steps(attempt).Single().Step);
    }

    [Fact]
    public async Task A_mail_server_that_does_not_exist_is_passed_over()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.Mx("example.org", 10, "gone.example.org").Mx("example.org", 20, "mx.example.org");
        var server = bed.AddHost("mx.example.org");

        await bed.UntilAsync(await bed.SendAsync("jane@example.org"), RecipientStatus.Delivered);

        Assert.Single(server.Messages);
    }
}
