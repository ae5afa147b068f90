using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>Recipients that came back from a node that died: which of them may have killed it.</summary>
public class SuspectTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_backlog_that_is_untouched_when_its_nodes_die_is_not_quarantined()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var server = bed.AddDomain("example.org");
        var sent = await bed.SendAsync("jane@example.org", "sam@example.org");

        for (var i = 0; i < 5; i++)
        {
            await bed.ExecuteAsync("UPDATE queue SET session_id = -1");
            Assert.Equal(2, await bed.Node.Get<Orphans>().ReturnAsync(bed.Node.Session, Stop));
        }
        bed.Node.Deliver();
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Equal(2, server.Messages.Count);
        // The first time nobody knows; after that it is known that no worker had begun with them.
        Assert.All(await bed.RecipientsAsync(sent), r => Assert.Equal(2, r.Attempts));
    }

    [Fact]
    public async Task A_worker_takes_suspects_alone_and_says_so_first()
    {
        await using var bed = await MakeAsync(postgres, start: false, options: new() { MaxConnectionsPerDestination = 1, IdleConnection = TimeSpan.FromMilliseconds(200) });
        var gate = new TaskCompletionSource();
        var server = bed.AddDomain("example.org").Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        var sent = await SendAsync(bed, 3);
        await bed.ExecuteAsync("UPDATE queue SET reclaims = 1");

        bed.Node.Deliver();
        await UntilAsync(() => Task.FromResult(server.Transcript.Any(l => l.StartsWith("C: MAIL", StringComparison.Ordinal))));
        Assert.Equal((3, 1), (await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NOT NULL"), await bed.CountAsync("SELECT count(*) FROM queue WHERE in_hand")));

        // As if the node had died now.
        var node = bed.Node.Session.Id;
        await bed.ExecuteAsync($"UPDATE queue SET session_id = -1 WHERE session_id = {node}");
        await bed.Node.Get<Orphans>().ReturnAsync(bed.Node.Session, Stop);
        Assert.Equal((2, 1), (await bed.CountAsync("SELECT count(*) FROM queue WHERE reclaims = 1"), await bed.CountAsync("SELECT count(*) FROM queue WHERE reclaims = 2 AND NOT in_hand")));
        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM attempt"));

        gate.SetResult();
        foreach (var message in sent) await bed.UntilAsync(message, RecipientStatus.Delivered);
    }

    [Fact]
    public async Task What_never_came_back_is_sent_without_a_mark()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        var gate = new TaskCompletionSource();
        var server = bed.AddDomain("example.org").Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        var sent = await SendAsync(bed, 1);

        bed.Node.Deliver();
        await UntilAsync(() => Task.FromResult(server.Transcript.Any(l => l.StartsWith("C: MAIL", StringComparison.Ordinal))));
        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM queue WHERE in_hand"));

        gate.SetResult();
        await bed.UntilAsync(sent[0], RecipientStatus.Delivered);
    }

    [Fact]
    public async Task A_suspect_that_is_given_back_in_good_order_is_unmarked_and_stays_a_suspect()
    {
        await using var bed = await MakeAsync(postgres, start: false, options: new() { StopWithin = TimeSpan.Zero });
        var server = bed.AddDomain("example.org").On("mail", Act.Silence);
        var sent = await SendAsync(bed, 1);
        await bed.ExecuteAsync("UPDATE queue SET reclaims = 1");

        bed.Node.Deliver();
        await server.WhenSilent.WaitAsync(Stop);
        await bed.Node.StopAsync();

        Assert.Equal(1, await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NULL AND reclaims = 1 AND NOT in_hand"));
        await bed.Node.DisposeAsync();
        await bed.StartNodeAsync();
        await bed.UntilAsync(sent[0], RecipientStatus.Delivered);
    }

    private static async Task<List<SubmissionReceipt>> SendAsync(DeliveryBed bed, int count)
    {
        var sent = new List<SubmissionReceipt>();
        for (var i = 0; i < count; i++) sent.Add(await bed.SendAsync($"jane{i}@example.org"));
        return sent;
    }
}
