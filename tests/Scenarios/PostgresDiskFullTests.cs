using System.Net;
using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Npgsql;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>The disk is full that PostgreSQL has its data on.</summary>
public sealed class PostgresDiskFullTests : IAsyncLifetime
{
    private const int File = 600_000;
    private const int Incoming = 300_000;

    private readonly CountingSink sink = new();
    private TinyDisk disk = null!;
    private KillablePostgres postgres = null!;
    private Installation installation = null!;
    private MoxApiProcess node = null!;
    private TwoDoors doors = null!;

    public async ValueTask InitializeAsync()
    {
        disk = TinyDisk.Mount(160);
        postgres = await KillablePostgres.StartAsync(Path.Combine(disk.FullName, "data"));
        installation = await Installation.CreateAsync(postgres.ConnectionString);
        installation.Deliver("example.net", sink.EndPoint);
        node = await installation.StartNodeAsync("a", TwoDoors.Smtp);
        doors = new TwoDoors(installation, node);
    }

    public async ValueTask DisposeAsync()
    {
        doors?.Dispose();
        if (node is not null) await node.DisposeAsync();
        if (installation is not null) await installation.DisposeAsync();
        if (postgres is not null) await postgres.DisposeAsync();
        disk?.Dispose();
        await sink.DisposeAsync();
    }

    [Fact]
    public async Task Without_room_for_rows_both_doors_refuse_for_now_and_go_on_when_there_is_room_again()
    {
        await FillAsync();

        // SQLSTATE 53100, and 452; or XX000, and 451, where a connection is new and finds no room for its own start. What is small finds room for a while, in
        // pages that are begun.
        await Eventually.HoldsAsync(async () => !await doors.PostAsync(fileLength: File), "a large send to be refused");
        await Eventually.HoldsAsync(async () => !await doors.PostAsync(), "a small send to be refused");
        await Eventually.HoldsAsync(async () => await doors.HandInAsync(Incoming) is 451 or 452, "a large message to be refused");
        await Eventually.HoldsAsync(async () => await doors.HandInAsync() is 451 or 452, "a small message to be refused");
        Assert.True(node.Log.Contains("53100", StringComparison.Ordinal) || node.Log.Contains("could not write init file", StringComparison.Ordinal), node.Log);

        await AssertGoesOnAsync();
    }

    [Fact]
    public async Task Without_room_for_its_log_PostgreSQL_dies_and_comes_back_when_there_is_room_again()
    {
        await FillAsync();
        // No further segment can be made: a PANIC.
        await Assert.ThrowsAnyAsync<NpgsqlException>(async () =>
        {
            while (true) await postgres.ExecuteAsync("SELECT pg_logical_emit_message(false, 'moxapi', repeat('x', 1000000))");
        });

        Assert.False(await doors.PostAsync());
        Assert.False(await doors.PostAsync(fileLength: File));
        Assert.InRange(await doors.HandInAsync(), 400, 499);
        using var client = node.Client("");
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/healthz", TestContext.Current.CancellationToken)).StatusCode);

        await AssertGoesOnAsync();
    }

    private async Task FillAsync()
    {
        Assert.True(await doors.PostAsync());
        Assert.True(await doors.PostAsync(fileLength: File));
        Assert.Equal(250, await doors.HandInAsync());
        Assert.Equal(250, await doors.HandInAsync(Incoming));
        // With a segment of the log before it, what it lacks is room for rows.
        await postgres.ExecuteAsync("CHECKPOINT");
        await postgres.ExecuteAsync("SELECT pg_switch_wal()");
        disk.Fill();
    }

    private async Task AssertGoesOnAsync()
    {
        disk.Free();
        await Eventually.HoldsAsync(() => doors.PostAsync(), "a small send");
        await Eventually.HoldsAsync(() => doors.PostAsync(fileLength: File), "a large send");
        await Eventually.HoldsAsync(async () => await doors.HandInAsync() == 250, "a small message");
        await Eventually.HoldsAsync(async () => await doors.HandInAsync(Incoming) == 250, "a large message");
        await KillablePostgres.ReachableAsync(installation.Database);
        await doors.AssertNothingLostAsync(sink);
    }
}
