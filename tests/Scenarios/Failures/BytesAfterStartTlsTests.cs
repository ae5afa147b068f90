using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class BytesAfterStartTlsTests(TestPostgres postgres)
{
    [Fact]
    public async Task What_comes_in_clear_behind_the_220_of_STARTTLS_is_never_taken_for_an_answer()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres, retries: "1s");
        using var authority = new TestAuthority();
        var server = bed.AddDomain("example.org");
        server.Certificate = authority.Issue("mx.example.org");
        server.On("starttls", Act.Raw("220 2.0.0 Go\r\n250 2.0.0 injected\r\n"));

        var sent = await bed.SendAsync("jane@example.org");
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        // Opportunistic TLS that fails goes on in clear, on another connection, where the server's words are its own.
        Assert.Equal(2, server.Sessions.Count);
        Assert.DoesNotContain((await bed.AttemptsAsync(sent)).SelectMany(DeliveryBed.Steps), s => s.Reply.Contains("injected", StringComparison.Ordinal));
        Assert.Single(server.Messages);
    }
}
