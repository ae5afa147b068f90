using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>100,000 rows are due for a destination that is dead, when other mail comes.</summary>
public class DeadLaneTests(TestPostgres postgres)
{
    private const int Messages = 100;
    private const int RecipientsEach = 1000;
    private const int Live = 5;

    // Delivery:MaxLeasedPerDestination.
    private const int InHand = 500;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Other_mail_is_delivered_long_before_its_turn_would_come(bool takesConnectionsAndSaysNothing)
    {
        await using var installation = await Installation.CreateAsync(postgres);
        await using var dead = new ScriptedSmtpServer().Always("connect", takesConnectionsAndSaysNothing ? Act.Silence : Act.Disconnect);
        await using var sink = new CountingSink();
        installation.Deliver("dead.example", dead.EndPoint);
        installation.Deliver("example.net", sink.EndPoint);
        await QueueAsync(installation, "dead.example");
        await using var node = await installation.StartNodeAsync("a", ("Delivery__StopWithin", "00:00:01"));
        await Eventually.HoldsAsync(() => Task.FromResult(dead.Sessions.Count > 0), "the dead destination to be tried");

        for (var n = 0; n < Live; n++)
        {
            var messageId = $"<live-{n}@acme.example>";
            await installation.SendAsync(node, messageId);
            await Eventually.HoldsAsync(() => Task.FromResult(sink.Of(messageId).Accepts == 1), messageId);
        }

        // Whoever is served in the order of time would have had all of these before him, but for those that a worker had in hand. How many more are left says
        // only how fast the machine is.
        await using var untouched = installation.Database.CreateCommand("SELECT count(*) FROM queue q JOIN recipient r ON r.id = q.recipient_id WHERE r.attempts = 0 AND r.address LIKE '%@dead.example'");
        Assert.InRange((long)(await untouched.ExecuteScalarAsync(TestContext.Current.CancellationToken))!, 2 * InHand, Messages * RecipientsEach);
        await installation.CountIsAsync("SELECT count(*) FROM recipient WHERE status = 4", Live);
        await installation.AssertBooksBalanceAsync();
    }

    private static async Task QueueAsync(Installation installation, string domain)
    {
        using var ids = new IdBlocks(installation.Database);
        var lane = await new Lanes(installation.Database).OfAsync(domain, TestContext.Current.CancellationToken);
        var due = TimeProvider.System.GetUtcNow() - TimeSpan.FromMinutes(1);
        var accepts = new List<Accept>();
        for (var n = 0; n < Messages; n++)
        {
            var first = await ids.ReserveAsync(2 + (RecipientsEach * AcceptedRecipient.Ids), TestContext.Current.CancellationToken);
            var message = new Message
            {
                Id = first,
                AccountId = 1,
                MessageIdHeader = $"<dead-{n}@acme.example>",
                FromHeader = "receipts@acme.example",
                Subject = "Newsletter",
                Size = 14,
                Header = "Subject: x\r\n\r\n"u8.ToArray(),
                BodyId = first + 1,
                Tags = [],
                Metadata = "{}",
                AcceptedAt = due,
                ReversePath = "receipts@acme.example",
            };
            var recipients = Enumerable.Range(0, RecipientsEach).Select(i => new AcceptedRecipient(
                new Recipient { Id = first + 2 + (i * AcceptedRecipient.Ids), MessageId = first, AccountId = 1, LaneId = lane, Address = $"jane{i}@{domain}", BaseAddress = $"jane{i}@{domain}", AcceptedAt = due, EventSequence = 1 }, first + 3 + (i * AcceptedRecipient.Ids)));
            accepts.Add(new(message, new BodyContent(Array.Empty<byte>()), [.. recipients], due, due.AddDays(2), 0));
        }
        await using var connection = await installation.Database.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await new AcceptWriter().WriteAsync(connection, accepts, TestContext.Current.CancellationToken);
    }
}
