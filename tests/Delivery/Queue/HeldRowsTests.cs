using MoxApi.Delivery.Queue;
using Xunit;

namespace MoxApi.Tests.Delivery.Queue;

public class HeldRowsTests
{
    [Fact]
    public void A_row_that_is_claimed_anew_before_its_first_claim_is_let_go_of_stays_held()
    {
        var held = new HeldRows();
        held.Add(1, 7);
        held.Add(1, 7);

        held.Remove(1, 7);
        Assert.True(held.Contains(1, 7));
        held.Remove(1, 7);

        Assert.Equal((false, 0), (held.Contains(1, 7), held.Count));
    }

    [Fact]
    public void Leases_of_a_row_are_apart_and_what_never_came_can_be_let_go_of()
    {
        var held = new HeldRows();
        held.Add(1, 7);

        held.Remove(1, 8);

        Assert.Equal((true, false, 1), (held.Contains(1, 7), held.Contains(1, 8), held.Count));
    }
}
