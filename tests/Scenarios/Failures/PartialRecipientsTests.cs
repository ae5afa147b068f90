using MoxApi.Migrations.Messages;
using MoxApi.Tests.Delivery;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios.Failures;

public class PartialRecipientsTests(TestPostgres postgres)
{
    [Fact]
    public async Task Each_recipient_of_a_transaction_has_its_own_outcome()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        var server = bed.AddDomain("example.org").On("rcpt", Refuse);

        var sent = await bed.SendTogetherAsync("yes@example.org", "no@example.org", "later@example.org", "yes2@example.org");
        await bed.UntilAsync(sent, r => r.Attempts == 1);

        Assert.Equal([RecipientStatus.Delivered, RecipientStatus.Failed, RecipientStatus.Delayed, RecipientStatus.Delivered], (await bed.RecipientsAsync(sent)).Select(r => r.Status));
        Assert.Equal(2, server.Messages.Single().Rcpts.Count);
    }

    [Fact]
    public async Task Where_all_recipients_are_refused_no_content_is_sent()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        var server = bed.AddDomain("example.org").On("rcpt", Refuse);

        var sent = await bed.SendTogetherAsync("no@example.org", "later@example.org");
        await bed.UntilAsync(sent, r => r.Attempts == 1);

        Assert.Equal([RecipientStatus.Failed, RecipientStatus.Delayed], (await bed.RecipientsAsync(sent)).Select(r => r.Status));
        Assert.Empty(server.Messages);
    }

    [Fact]
    public async Task What_is_refused_at_the_final_dot_is_refused_for_those_only_who_had_been_taken()
    {
        await using var bed = await DeliveryBed.MakeAsync(postgres);
        bed.AddDomain("example.org").On("rcpt", Refuse).Always("body", "451 4.3.0 Disk trouble");

        var sent = await bed.SendTogetherAsync("yes@example.org", "no@example.org");
        await bed.UntilAsync(sent, r => r.Attempts == 1);

        var replies = new List<string>();
        foreach (var recipient in sent.Recipients) replies.Add((await bed.AttemptsAsync(recipient.Id)).Single().Reply);
        Assert.Equal(["4.3.0 Disk trouble", "5.1.1 No"], replies);
    }

    private static Act? Refuse(string line) =>
        line.Contains("no@", StringComparison.Ordinal) ? (Act)"550 5.1.1 No" : line.Contains("later@", StringComparison.Ordinal) ? (Act)"450 4.2.1 Later" : null;
}
