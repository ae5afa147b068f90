using MoxApi.Delivery.Composing;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>Rows come to delivery in memory from their accept, or wait in the queue while there is no room.</summary>
public class QueueRoomTests(TestPostgres postgres)
{
    [Fact]
    public async Task A_message_is_born_leased_where_there_is_room()
    {
        await using var bed = await MakeAsync(postgres);
        var gate = new TaskCompletionSource();
        bed.AddDomain("example.org").On("mail", ((Act)"250 Ok").After(gate.Task));

        var sent = await bed.SendAsync("jane@example.org");

        Assert.Equal(1, await bed.CountAsync($"SELECT count(*) FROM queue WHERE session_id = {bed.Node.Session.Id}"));
        Assert.Equal(1, bed.Node.Engine.Leased);
        gate.SetResult();
        await bed.UntilAsync(sent, RecipientStatus.Delivered);
        await UntilAsync(() => Task.FromResult(bed.Node.Engine is { Leased: 0, Bytes: 0 }));
    }

    [Fact]
    public async Task What_finds_no_room_waits_in_the_queue_and_is_claimed_when_there_is_some()
    {
        await using var bed = await MakeAsync(postgres, start: false, options: new() { MaxLeased = 4, IdleConnection = TimeSpan.FromMilliseconds(500) });
        // Nothing is found by looking for it: who finds no room must be called in.
        bed.Node.Loop.ScanEvery = TimeSpan.FromMinutes(10);
        bed.Node.Deliver();
        var gate = new TaskCompletionSource();
        var server = bed.AddDomain("example.org").Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        var other = bed.AddDomain("example.net").Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));

        var sent = new List<MoxApi.Delivery.Submitting.SubmissionReceipt>();
        for (var i = 0; i < 30; i++) sent.Add(await bed.SendAsync($"jane{i}@{(i % 2 == 0 ? "example.org" : "example.net")}"));
        Assert.InRange(bed.Node.Engine.Leased, 1, 4);
        Assert.InRange(await bed.CountAsync("SELECT count(*) FROM queue WHERE session_id IS NOT NULL"), 1, 4);

        gate.SetResult();
        foreach (var message in sent) await bed.UntilAsync(message, RecipientStatus.Delivered);

        Assert.Equal((15, 15), (server.Messages.Count, other.Messages.Count));
        await UntilAsync(() => Task.FromResult(bed.Node.Engine is { Leased: 0, Bytes: 0 }));
    }

    [Fact]
    public async Task A_destination_has_no_more_rows_in_hand_than_it_may()
    {
        await using var bed = await MakeAsync(postgres, start: false, options: new() { MaxLeasedPerDestination = 10, MaxConnectionsPerDestination = 2, IdleConnection = TimeSpan.FromMilliseconds(500) });
        var gate = new TaskCompletionSource();
        bed.AddDomain("example.org").Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        bed.Node.Loop.ScanEvery = TimeSpan.FromMinutes(10);
        var sent = await bed.SendAsync([.. Enumerable.Range(0, 100).Select(n => $"jane{n}@example.org")]);

        bed.Node.Deliver();
        await UntilAsync(() => Task.FromResult(bed.Node.Engine.Leased == 10));
        gate.SetResult();
        var most = 0;
        await UntilAsync(async () =>
        {
            most = Math.Max(most, bed.Node.Engine.Leased);
            return (await bed.RecipientsAsync(sent)).All(r => r.Status == RecipientStatus.Delivered);
        });

        Assert.InRange(most, 0, 10);
    }

    [Theory, InlineData(4, 1), InlineData(12, 3), InlineData(60, 10)]
    public async Task A_proven_destination_has_a_connection_for_every_four_rows_that_wait(int rows, int connections)
    {
        await using var bed = await MakeAsync(postgres, options: new() { IdleConnection = TimeSpan.Zero });
        var server = bed.AddDomain("example.org");
        await bed.UntilAsync(await bed.SendAsync("sam@example.org"), RecipientStatus.Delivered);
        await UntilAsync(() => Task.FromResult(server.Sessions.Single().IsOver && bed.Node.Engine.Leased == 0));
        var gate = new TaskCompletionSource();
        server.Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));

        var sent = await bed.SendAsync([.. Enumerable.Range(0, rows).Select(n => $"jane{n}@example.org")]);
        await UntilAsync(() => Task.FromResult(server.Transcript.Count(l => l.StartsWith("C: MAIL", StringComparison.Ordinal)) == 1 + connections));
        gate.SetResult();
        await bed.UntilAsync(sent, RecipientStatus.Delivered);

        Assert.Equal(1 + connections, server.Sessions.Count);
    }

    [Fact]
    public async Task Messages_that_are_read_from_the_queue_are_counted_and_no_more_are_read_than_there_is_room_for()
    {
        await using var bed = await MakeAsync(postgres, start: false, options: new() { MaxBytesInMemory = 80_000, IdleConnection = TimeSpan.FromMilliseconds(200) });
        var gate = new TaskCompletionSource();
        var server = bed.AddDomain("example.org").On("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        var sent = new List<MoxApi.Delivery.Submitting.SubmissionReceipt>();
        for (var i = 0; i < 20; i++) sent.Add(await bed.SendAsync(new MessageDraft { From = null!, Text = new string('x', 6000) }, [$"jane{i}@example.org"]));

        bed.Node.Deliver();
        await UntilAsync(() => Task.FromResult(server.Transcript.Any(l => l.StartsWith("C: MAIL", StringComparison.Ordinal))));
        Assert.InRange(bed.Node.Engine.BytesRead, 6000, 80_000 / 4);
        gate.SetResult();
        foreach (var message in sent) await bed.UntilAsync(message, RecipientStatus.Delivered);

        Assert.Equal(20, server.Messages.Count);
        await UntilAsync(() => Task.FromResult(bed.Node.Engine is { Leased: 0, Bytes: 0, BytesRead: 0 }));
    }

    [Fact]
    public async Task A_message_for_which_there_is_no_room_in_memory_is_sent_alone()
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxBytesInMemory = 1000, IdleConnection = TimeSpan.FromMilliseconds(200) });
        bed.AddDomain("example.org");

        await bed.UntilAsync(await bed.SendAsync(new MessageDraft { From = null!, Text = new string('x', 6000) }, ["jane@example.org", "sam@example.org"]), RecipientStatus.Delivered);

        await UntilAsync(() => Task.FromResult(bed.Node.Engine is { Leased: 0, Bytes: 0, BytesRead: 0 }));
    }

    [Fact]
    public async Task Many_destinations_for_which_there_is_no_room_all_have_their_turn()
    {
        await using var bed = await MakeAsync(postgres, start: false, options: new() { MaxLeased = 8, MaxConnections = 4, IdleConnection = TimeSpan.FromMilliseconds(100) });
        bed.Node.Loop.ScanEvery = TimeSpan.FromMinutes(10);
        var domains = Enumerable.Range(0, 40).Select(n => $"d{n}.example").ToArray();
        foreach (var domain in domains) bed.AddDomain(domain);
        var sent = await bed.SendAsync([.. domains.SelectMany(d => new[] { $"jane@{d}", $"sam@{d}", $"kim@{d}" })]);

        bed.Node.Deliver();

        await bed.UntilAsync(sent, RecipientStatus.Delivered);
    }
}
