using MoxApi.Migrations.Writing;
using Xunit;

namespace MoxApi.Tests.Migrations.Writing;

public class BytesInFlightTests
{
    [Fact]
    public void A_share_that_finds_no_room_takes_none_and_keeps_what_it_has()
    {
        var inFlight = new BytesInFlight(100);
        using var share = inFlight.Open();
        share.Keep(60, 0);

        Assert.Throws<NoRoomException>(() => share.Keep(101, 0));

        Assert.Equal(60, inFlight.Taken);
        Assert.True(inFlight.HasRoomFor(8 * 40));
        Assert.False(inFlight.HasRoomFor((8 * 40) + 1));
    }

    [Fact]
    public void What_was_cleared_is_not_given_back_twice()
    {
        var inFlight = new BytesInFlight(100);
        using (var share = inFlight.Open())
        {
            share.Keep(60, 0);
            share.Keep(0, 0);
            share.Keep(50, 0);
            Assert.Equal(50, inFlight.Taken);
        }
        Assert.Equal(0, inFlight.Taken);
    }

    [Fact]
    public void What_goes_to_a_file_counts_an_eighth()
    {
        var inFlight = new BytesInFlight(100);
        using var share = inFlight.Open();
        share.Keep(80, 0);
        share.Keep(20, 8 * 80);

        Assert.Equal(100, inFlight.Taken);
        Assert.Throws<NoRoomException>(() => share.Keep(20, (8 * 80) + 1));
    }

    [Fact]
    public async Task Many_at_once_never_pass_the_limit_and_leave_nothing()
    {
        var inFlight = new BytesInFlight(1000);
        await Task.WhenAll(Enumerable.Range(0, 8).Select(n => Task.Run(() =>
        {
            for (var i = 0; i < 2000; i++)
            {
                using var share = inFlight.Open();
                try
                {
                    for (var part = 1; part <= 10; part++) share.Keep(50 * part, 0);
                }
                catch (NoRoomException)
                {
                    // Somebody else has it.
                }
            }
        })));
        Assert.Equal(0, inFlight.Taken);
    }
}
