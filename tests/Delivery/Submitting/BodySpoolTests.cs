using MoxApi.Delivery.Submitting;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using Xunit;

namespace MoxApi.Tests.Delivery.Submitting;

public class BodySpoolTests
{
    [Fact]
    public async Task A_body_counts_until_it_is_disposed_of()
    {
        var inFlight = new BytesInFlight(10);
        await using (var spool = new BodySpool(inFlight.Open()))
        {
            spool.Write(new byte[6]);
            Assert.Throws<NoRoomException>(() => spool.Write(new byte[6]));
            await using var body = spool.Complete();
            Assert.Equal((6, 6), (body.Size, inFlight.Taken));
        }
        Assert.Equal(0, inFlight.Taken);
    }

    [Fact]
    public void A_disk_that_cannot_be_written_is_no_room()
    {
        using var spool = new BodySpool(new BytesInFlight().Open(), folder: "/nonexistent/folder");
        spool.Write(new byte[AcceptWriter.AloneAbove]);
        Assert.Throws<NoRoomException>(() => spool.Write(new byte[1]));
    }
}
