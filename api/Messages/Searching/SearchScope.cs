using MoxApi.Api.Lists;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Searching;

/// <summary>What of an account's messages a search is over.</summary>
/// <param name="Account">The account.</param>
/// <param name="Filter">What the messages must have.</param>
/// <param name="From">The place that they follow.</param>
/// <param name="Backward">Whether towards newer ones.</param>
internal sealed record SearchScope(long Account, MessageFilter Filter, Place? From, bool Backward)
{
    /// <summary>Whether it asks for what workers have in hand, which are few, and told by the queue alone.</summary>
    public bool IsInHand => Filter.Status == RecipientStatus.Delivering;

    /// <summary>Whether the messages themselves must be looked at.</summary>
    public bool HasWords => Filter.Tag is not null || Filter.Subject is not null;

    /// <summary>Whether the recipients must be looked at.</summary>
    public bool HasRecipients => Filter.Recipient is not null || Filter.Status is not null;

    /// <summary>Whether one index has exactly the messages wanted, in order.</summary>
    public bool IsOneIndex => !HasWords && (Filter.Recipient is null || Filter.Status is null);
}
