using MoxApi.Tests.Hosting;
using MoxApi.Tests.Peers;
using Xunit;

namespace MoxApi.Tests.Scenarios;

/// <summary>The disk is full that messages in flight go to when they are too large for memory.</summary>
public sealed class SpoolDiskFullTests(TestPostgres postgres)
{
    private const int InMemory = 20_000;

    // Each goes to a file somewhere else: while the request is read, while the message is composed, while it comes in by SMTP.
    private const int File = 600_000;
    private const int ComposedText = 1_300_000;
    private const int Incoming = 300_000;

    [Fact]
    public async Task What_is_large_is_refused_for_now_what_is_small_goes_on_and_all_does_when_there_is_room_again()
    {
        using var disk = TinyDisk.Mount(8);
        await using var sink = new CountingSink();
        await using var installation = await Installation.CreateAsync(postgres);
        installation.Deliver("example.net", sink.EndPoint);
        await using var node = await installation.StartNodeAsync("a", TwoDoors.Smtp, (MoxApiProcess.TemporaryFolderVariable, disk.FullName), ("Smtp__SpoolFolder", disk.FullName));
        using var doors = new TwoDoors(installation, node);
        await AssertAllPassesAsync(doors);

        disk.Fill();
        for (var i = 0; i < 2; i++)
        {
            Assert.False(await doors.PostAsync(fileLength: File));
            Assert.False(await doors.PostFormAsync(File));
            Assert.False(await doors.PostAsync(textLength: ComposedText));
            Assert.Equal(452, await doors.HandInAsync(Incoming));
            Assert.True(await doors.PostAsync(InMemory));
            Assert.Equal(250, await doors.HandInAsync(InMemory));
        }
        disk.Free();

        await AssertAllPassesAsync(doors);
        await doors.AssertNothingLostAsync(sink);
        Assert.Empty(Directory.GetFiles(disk.FullName, "moxapi-*"));
    }

    private static async Task AssertAllPassesAsync(TwoDoors doors)
    {
        Assert.True(await doors.PostAsync(InMemory));
        Assert.True(await doors.PostAsync(fileLength: File));
        Assert.True(await doors.PostFormAsync(File));
        Assert.True(await doors.PostAsync(textLength: ComposedText));
        Assert.Equal(250, await doors.HandInAsync(InMemory));
        Assert.Equal(250, await doors.HandInAsync(Incoming));
    }
}
