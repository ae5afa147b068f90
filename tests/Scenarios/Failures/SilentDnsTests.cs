using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class SilentDnsTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_domain_whose_name_servers_do_not_answer_is_tried_again_and_holds_up_nobody()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.Dns.IsSilent("silent.example");
        bed.AddDomain("good.example.org");

        var bad = await bed.SendAsync("jane@silent.example");
        await bed.UntilAsync(await bed.SendAsync("sam@good.example.org"), RecipientStatus.Delivered);
        await bed.UntilAsync(bad, RecipientStatus.Delayed);

        Assert.Equal(("4.4.3", FailureClass.Dns), (await bed.AttemptsAsync(bad)).Select(a => (a.EnhancedCode, a.FailureClass)).Single());
    }
}
