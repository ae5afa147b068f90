using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>What is stored and cannot be read.</summary>
public class StoredRowTests(TestPostgres postgres)
{
    [Theory]
    [InlineData("UPDATE recipient SET address = 'no address' WHERE message_id = {0}")]
    [InlineData("UPDATE message SET reverse_path = 'no address', return_path_domain = NULL WHERE id = {0}")]
    [InlineData("UPDATE message SET return_path_domain = 'no domain' WHERE id = {0}")]
    public async Task A_recipient_that_cannot_be_read_fails_alone(string corrupt)
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = new List<SubmissionReceipt>();
        for (var i = 0; i < 3; i++) sent.Add(await bed.SendAsync($"jane{i}@example.org"));
        await bed.ExecuteAsync(string.Format(System.Globalization.CultureInfo.InvariantCulture, corrupt, sent[1].MessageId));

        bed.Node.Deliver();
        await bed.UntilAsync(sent[0], RecipientStatus.Delivered);
        await bed.UntilAsync(sent[2], RecipientStatus.Delivered);
        var delayed = (await bed.UntilAsync(sent[1], RecipientStatus.Delayed)).Single();

        Assert.Equal(2, server.Messages.Count);
        Assert.True(delayed.NextAttemptAt > TimeProvider.System.GetUtcNow().AddSeconds(30));
        Assert.Equal(("4.3.0", FailureClass.Other, 0), (await bed.AttemptsAsync(sent[1])).Select(a => (a.EnhancedCode, a.FailureClass, a.SmtpCode)).Single());
    }
}
