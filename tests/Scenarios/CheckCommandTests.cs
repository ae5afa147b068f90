using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Migrations;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary><c>moxapi check</c>.</summary>
public class CheckCommandTests(TestPostgres postgres)
{
    [Fact]
    public async Task It_says_whether_the_books_balance_and_what_does_not_add_up()
    {
        await using var installation = await Installation.CreateAsync(postgres);
        var mail = new StoredMail(installation);
        await mail.MessageAsync(await mail.CountAsync("SELECT id FROM account"), TimeProvider.System.GetUtcNow(), statuses: [RecipientStatus.Delivered, RecipientStatus.Queued]);

        var good = await MoxApiProcess.RunAsync(installation.Settings, "check");
        Assert.Equal(0, good.ExitCode);
        Assert.Contains("2 recipients accepted, 1 queued.", good.Output);
        Assert.Contains("The books balance.", good.Output);

        await mail.ExecuteAsync("DELETE FROM queue");
        var bad = await MoxApiProcess.RunAsync(installation.Settings, "check");
        Assert.Equal(1, bad.ExitCode);
        Assert.Contains("1 unfinished without a queue row", bad.Log);
    }
}
