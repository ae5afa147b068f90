using MoxApi.Delivery;
using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Messages;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;
using static MoxApi.Tests.Delivery.DeliveryBed;

namespace MoxApi.Tests.Delivery;

/// <summary>Very many destinations that take a connection and then hang, beside one that works.</summary>
public class SlowLaneTests(TestPostgres postgres)
{
    // More than there are connections.
    private const int Hanging = 18;

    private static readonly string Soon = string.Join(' ', Enumerable.Repeat("1s", 50));

    private readonly TaskCompletionSource gate = new(TaskCreationOptions.RunContinuationsAsynchronously);

    [Theory, InlineData("connect"), InlineData("ehlo"), InlineData("mail"), InlineData("data"), InlineData("body")]
    public async Task Destinations_that_hang_from_the_beginning_delay_nobody_else(string step)
    {
        await using var bed = await MakeAsync(postgres, Soon, FewConnections());
        await AddHangingAsync(bed, step);
        bed.AddDomain("live.example");

        for (var i = 0; i < 3; i++) await bed.UntilAsync(await bed.SendAsync("sam@live.example"), RecipientStatus.Delivered);

        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM recipient r JOIN lane l ON l.id = r.lane_id WHERE l.domain LIKE 'hangs%' AND r.status = 4"));
        gate.SetResult();
    }

    [Theory, InlineData("ehlo"), InlineData("mail"), InlineData("body")]
    public async Task Destinations_that_were_quick_and_begin_to_hang_delay_nobody_else(string step)
    {
        await using var bed = await MakeAsync(postgres, Soon, FewConnections());
        var isHanging = false;
        var servers = Domains.Select(bed.AddDomain).ToList();
        foreach (var server in servers) server.On(step, _ => Volatile.Read(ref isHanging) ? Hang(step) : null);
        bed.AddDomain("live.example");
        foreach (var message in await SendToAsync(bed, [.. Domains, "live.example"])) await bed.UntilAsync(message, RecipientStatus.Delivered);

        await UntilAsync(() => Task.FromResult(servers.All(s => s.Sessions.All(session => session.IsOver)))); // A connection that is still open greets no more.
        Volatile.Write(ref isHanging, true);
        await SendToAsync(bed, Domains);
        for (var i = 0; i < 3; i++) await bed.UntilAsync(await bed.SendAsync("sam@live.example"), RecipientStatus.Delivered);

        Assert.Equal(Hanging, await bed.CountAsync("SELECT count(*) FROM recipient r JOIN lane l ON l.id = r.lane_id WHERE l.domain LIKE 'hangs%' AND r.status = 4"));
        gate.SetResult();
    }

    [Fact]
    public async Task Destinations_that_hang_leave_leases_for_others()
    {
        await using var bed = await MakeAsync(postgres, Soon, new() { MaxLeased = 200, SlowAfter = TimeSpan.FromSeconds(1), StopWithin = TimeSpan.Zero });
        await AddHangingAsync(bed, "mail", rows: 0);
        await bed.SendAsync([.. Domains.SelectMany(d => Enumerable.Range(0, 15).Select(n => $"jane{n}@{d}"))]);
        bed.AddDomain("live.example");

        await bed.UntilAsync(await bed.SendAsync([.. Enumerable.Range(0, 5).Select(n => $"sam{n}@live.example")]), RecipientStatus.Delivered);

        Assert.InRange(bed.Node.Engine.Leased, 1, 200 / 2);
        gate.SetResult();
    }

    [Fact]
    public async Task Messages_for_destinations_that_hang_leave_memory_for_others()
    {
        var options = new DeliveryOptions { MaxBytesInMemory = 40_000, SlowAfter = TimeSpan.FromSeconds(1), StopWithin = TimeSpan.Zero };
        await using var bed = await MakeAsync(postgres, Soon, options);
        await AddHangingAsync(bed, "mail", rows: 10);
        var live = bed.AddDomain("live.example");
        await bed.UntilAsync(await bed.SendAsync("sam@live.example"), RecipientStatus.Delivered);

        // What waits for a slow one is read again when its turn comes.
        await UntilAsync(() => Task.FromResult(bed.Node.Engine.Bytes < options.MaxBytesInMemory / 2));
        live.Always("mail", ((Act)"250 2.1.0 Ok").After(gate.Task));
        var sent = await bed.SendAsync("sam@live.example");

        Assert.Equal(1, await bed.CountAsync($"SELECT count(*) FROM queue q JOIN recipient r ON r.id = q.recipient_id WHERE r.message_id = {sent.MessageId} AND q.session_id IS NOT NULL"));
        gate.SetResult();
    }

    [Fact]
    public async Task A_server_that_is_given_up_for_others_leaves_an_attempt_with_its_conversation()
    {
        await using var bed = await MakeAsync(postgres, options: new() { MaxConnections = 2, MaxUncertainConnections = 1, SlowAfter = TimeSpan.FromSeconds(1), StopWithin = TimeSpan.Zero });
        foreach (var domain in Domains[..3]) bed.AddDomain(domain).Always("mail", Act.Silence);
        var sent = await SendToAsync(bed, Domains[..3]);

        await UntilAsync(() => bed.CountAsync("SELECT count(*) FROM attempt").ContinueWith(c => c.Result > 0, TaskScheduler.Default));
        await using var context = bed.Open();
        var attempt = context.Attempts.First();

        Assert.Equal((AttemptOutcome.Delayed, 0, "4.4.2", FailureClass.Network), (attempt.Outcome, attempt.SmtpCode, attempt.EnhancedCode, attempt.FailureClass));
        Assert.Equal("The server took too long while others waited for a connection: it was given up on.", attempt.Reply);
        Assert.Equal(["mx", "connect", "ehlo", "mail"], Steps(attempt).Select(s => s.Step));
        Assert.All(sent, s => Assert.Single(s.Recipients));
    }

    [Fact]
    public async Task A_slow_destination_has_one_connection_and_gets_all_its_mail_in_the_end()
    {
        await using var bed = await MakeAsync(postgres, options: new() { SlowAfter = TimeSpan.FromMilliseconds(200), IdleConnection = TimeSpan.FromMilliseconds(200) });
        var server = bed.AddDomain("example.org").On("body", _ => ((Act)"250 2.0.0 Ok").After(Task.Delay(TimeSpan.FromMilliseconds(600), TimeProvider.System)));

        var sent = await SendToAsync(bed, [.. Enumerable.Repeat("example.org", 5)]);
        foreach (var message in sent) await bed.UntilAsync(message, RecipientStatus.Delivered);

        Assert.Equal(5, server.Messages.Count);
        Assert.Equal(0, await bed.CountAsync("SELECT count(*) FROM attempt WHERE outcome <> 0"));
        // One at a time: the next connection, or transaction, begins when the last one has ended.
        Assert.Single(server.Sessions);
    }

    [Fact]
    public async Task A_server_that_hangs_over_one_message_does_not_keep_the_others_waiting()
    {
        await using var bed = await MakeAsync(postgres, options: new() { SlowAfter = TimeSpan.FromMilliseconds(200), StopWithin = TimeSpan.Zero });
        var first = 0;
        bed.AddDomain("example.org").On("body", _ => Interlocked.Increment(ref first) == 1 ? Hang("body") : null);
        var hanging = await bed.SendAsync("jane@example.org");
        await UntilAsync(() => Task.FromResult(Volatile.Read(ref first) == 1));

        foreach (var message in await SendToAsync(bed, ["example.org", "example.org"])) await bed.UntilAsync(message, RecipientStatus.Delivered);

        Assert.Equal(1, await bed.CountAsync($"SELECT count(*) FROM queue q JOIN recipient r ON r.id = q.recipient_id WHERE r.message_id = {hanging.MessageId}"));
        gate.SetResult();
    }

    private static string[] Domains { get; } = [.. Enumerable.Range(0, Hanging).Select(n => $"hangs{n}.example")];

    private static DeliveryOptions FewConnections() => new()
    {
        MaxConnections = 16,
        MaxUncertainConnections = 8,
        SlowAfter = TimeSpan.FromSeconds(1),
        IdleConnection = TimeSpan.FromMilliseconds(200),
        StopWithin = TimeSpan.Zero,
    };

    private Act Hang(string step) => ((Act)(step == "data" ? "354 Go on" : step == "connect" ? "220 mx" : "250 mx")).After(gate.Task);

    private async Task AddHangingAsync(DeliveryBed bed, string step, int rows = 1)
    {
        foreach (var domain in Domains) bed.AddDomain(domain).Always(step, Hang(step));
        for (var i = 0; i < rows; i++) await SendToAsync(bed, Domains);
    }

    private static async Task<List<SubmissionReceipt>> SendToAsync(DeliveryBed bed, string[] domains)
    {
        var sent = new List<SubmissionReceipt>();
        foreach (var domain in domains) sent.Add(await bed.SendAsync($"jane@{domain}"));
        return sent;
    }
}
