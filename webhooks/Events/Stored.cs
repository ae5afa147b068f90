using System.Collections.Frozen;
using System.Text.Json;
using MoxApi.Migrations.Messages;
using Wire = MoxApi.OpenApi;

namespace MoxApi.Webhooks.Events;

/// <summary>
/// The one place where stored event types, and what events say, are matched with the public ones. The names are the same on both sides, the
/// numbers are not: stored numbers never change, public ones are nobody's business. The public spelling (<c>message.delivered</c>) is the contract's.
/// </summary>
public static class Stored
{
    private static readonly FrozenDictionary<EventType, Wire.Events.EventType> EventTypes = ByName<EventType, Wire.Events.EventType>();

    private static readonly FrozenDictionary<Wire.Events.EventType, EventType> StoredEventTypes =
        EventTypes.ToFrozenDictionary(pair => pair.Value, pair => pair.Key);

    private static readonly FrozenDictionary<FailureClass, Wire.Messages.FailureClass> FailureClasses =
        ByName<FailureClass, Wire.Messages.FailureClass>();

    private static readonly FrozenDictionary<RecipientStatus, Wire.Messages.RecipientStatus> RecipientStatuses =
        ByName<RecipientStatus, Wire.Messages.RecipientStatus>();

    /// <summary>The public type of a stored one.</summary>
    /// <exception cref="KeyNotFoundException">A newer program stored it, during an upgrade.</exception>
    public static Wire.Events.EventType ToWire(EventType type) => EventTypes[type];

    /// <summary>The stored type of a public one.</summary>
    public static EventType ToStored(Wire.Events.EventType type) => StoredEventTypes[type];

    /// <summary>The public class of a stored one.</summary>
    /// <exception cref="KeyNotFoundException">A newer program stored it, during an upgrade.</exception>
    public static Wire.Messages.FailureClass ToWire(FailureClass failure) => FailureClasses[failure];

    /// <summary>
    /// The recipient's state right after an event. Not read from the recipient, which has moved on: what is posted must be the same at every
    /// retry.
    /// </summary>
    /// <param name="type">The event's type.</param>
    /// <param name="detail">Its detail: a release and a new time are <c>message.scheduled</c>, and say there what the recipient is from then on.</param>
    public static Wire.Messages.RecipientStatus StatusAfter(EventType type, string? detail) => type switch
    {
        EventType.MessageAccepted => Wire.Messages.RecipientStatus.Queued,
        EventType.MessageScheduled when detail is not null => RecipientStatuses[StatusIn(detail)],
        EventType.MessageScheduled => Wire.Messages.RecipientStatus.Scheduled,
        EventType.MessageDelayed => Wire.Messages.RecipientStatus.Delayed,
        EventType.MessageFailed => Wire.Messages.RecipientStatus.Failed,
        EventType.MessageSuppressed => Wire.Messages.RecipientStatus.Suppressed,
        EventType.MessageCanceled => Wire.Messages.RecipientStatus.Canceled,
        EventType.MessageHeld => Wire.Messages.RecipientStatus.Held,
        EventType.MessageQuarantined => Wire.Messages.RecipientStatus.Quarantined,
        _ => Wire.Messages.RecipientStatus.Delivered, // Delivered, and what is heard of a message after that.
    };

    private static RecipientStatus StatusIn(string detail)
    {
        using var document = JsonDocument.Parse(detail);
        return (RecipientStatus)document.RootElement.GetProperty("status").GetInt16();
    }

    private static FrozenDictionary<TStored, TWire> ByName<TStored, TWire>()
        where TStored : struct, Enum
        where TWire : struct, Enum =>
        Enum.GetValues<TStored>().ToFrozenDictionary(value => value, value => Enum.Parse<TWire>(value.ToString()));
}
