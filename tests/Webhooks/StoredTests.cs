using MoxApi.Migrations.Messages;
using MoxApi.Webhooks.Events;
using Xunit;
using Wire = MoxApi.OpenApi.Events;

namespace MoxApi.Tests.Webhooks;

public class StoredTests
{
    [Fact]
    public void Every_stored_event_type_has_a_public_one_and_the_other_way_round()
    {
        Assert.All(Enum.GetValues<EventType>(), type => Assert.Equal(type, Stored.ToStored(Stored.ToWire(type))));
        Assert.All(Enum.GetValues<Wire.EventType>(), type => Assert.Equal(type, Stored.ToWire(Stored.ToStored(type))));
        Assert.All(Enum.GetValues<FailureClass>(), failure => Assert.Equal(failure.ToString(), Stored.ToWire(failure).ToString()));
    }

    [Theory]
    [InlineData(EventType.MessageAccepted, "Queued")]
    [InlineData(EventType.MessageDelayed, "Delayed")]
    [InlineData(EventType.MessageDelivered, "Delivered")]
    [InlineData(EventType.MessageFailed, "Failed")]
    [InlineData(EventType.MessageQuarantined, "Quarantined")]
    [InlineData(EventType.MessageComplained, "Delivered")]
    [InlineData(EventType.MessageScheduled, "Scheduled")]
    [InlineData(EventType.MessageScheduled, "Queued", """{"status" : 0}""")]
    [InlineData(EventType.MessageScheduled, "Delayed", """{"status" : 3}""")]
    public void An_event_tells_the_state_it_left_the_recipient_in(EventType type, string status, string? detail = null) =>
        Assert.Equal(status, Stored.StatusAfter(type, detail).ToString());
}
