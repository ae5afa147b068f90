using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>Who waits, and who does not.</summary>
public class DeadLaneTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_dead_destination_with_many_rows_delays_nobody_else_and_all_its_rows_by_one_walk()
    {
        await using var bed = await MakeAsync(postgres, start: false);
        bed.Dns.Mx("dead.example", 10, "mx.dead.example");
        bed.AddDeadHost("mx.dead.example");
        var live = bed.AddDomain("live.example");
        var dead = await bed.SendAsync([.. Enumerable.Range(0, 300).Select(n => $"jane{n}@dead.example")]);
        var others = await bed.SendAsync("sam@live.example");

        bed.Node.Deliver();
        await bed.UntilAsync(others, RecipientStatus.Delivered);
        await bed.UntilAsync(dead, RecipientStatus.Delayed);

        Assert.Single(live.Messages);
        Assert.Equal(300, await bed.CountAsync("SELECT count(*) FROM event WHERE type = 4"));
        // One walk: every attempt tells of the same connection that did not come about, begun at the same time.
        Assert.Equal(1, await bed.CountAsync("SELECT count(DISTINCT at) FROM attempt WHERE outcome = 1"));
    }

    [Fact]
    public async Task A_slow_destination_delays_nobody_else()
    {
        await using var bed = await MakeAsync(postgres);
        var gate = new TaskCompletionSource();
        bed.AddDomain("slow.example").Always("ehlo", ((Peers.Act)"250 mx").After(gate.Task));
        bed.AddDomain("live.example");

        var slow = await bed.SendAsync([.. Enumerable.Range(0, 50).Select(n => $"jane{n}@slow.example")]);
        for (var i = 0; i < 5; i++) await bed.UntilAsync(await bed.SendAsync("sam@live.example"), RecipientStatus.Delivered);
        Assert.All(await bed.RecipientsAsync(slow), r => Assert.Equal(RecipientStatus.Queued, r.Status));

        gate.SetResult();
        await bed.UntilAsync(slow, RecipientStatus.Delivered);
    }

    [Fact]
    public async Task Destinations_that_never_answered_take_their_own_share_of_connections_and_give_it_up_when_they_answer()
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxConnections = 10, MaxUncertainConnections = 1, IdleConnection = TimeSpan.FromSeconds(30) });
        var domains = Enumerable.Range(0, 6).Select(n => $"d{n}.example").ToArray();
        foreach (var domain in domains) bed.AddDomain(domain);

        // Each connection stays open for half a minute: the next destination can only begin because the one before is proven.
        var start = TimeProvider.System.GetTimestamp();
        await bed.UntilAsync(await bed.SendAsync([.. domains.Select(d => $"jane@{d}")]), RecipientStatus.Delivered);

        Assert.True(TimeProvider.System.GetElapsedTime(start) < TimeSpan.FromSeconds(25));
    }
}
