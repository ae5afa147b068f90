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
        share.Add(60);

        Assert.Throws<NoRoomException>(() => share.Add(41));

        Assert.Equal((60, 60), (inFlight.Taken, share.Held));
        Assert.True(inFlight.HasRoomFor(40));
        Assert.False(inFlight.HasRoomFor(41));
    }

    [Fact]
    public void What_was_cleared_is_not_given_back_twice()
    {
        var inFlight = new BytesInFlight(100);
        using (var share = inFlight.Open())
        {
            share.Add(60);
            share.Clear();
            share.Add(50);
        }
        Assert.Equal(0, inFlight.Taken);
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
                    for (var part = 0; part < 10; part++) share.Add(50);
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
