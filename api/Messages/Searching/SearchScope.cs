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

    /// <summary>
    /// Whether there is another index than the one that is walked. The one over subjects is over sequences of three letters and digits: for a subject without
    /// one, such as "...", it has every message of the account.
    /// </summary>
    public bool IsInOtherIndex => !HasWords || Filter.Tag is not null || HasThreeInARow(Filter.Subject!);

    /// <summary>Whether one index has exactly the messages wanted, in order.</summary>
    public bool IsOneIndex => !HasWords && (Filter.Recipient is null || Filter.Status is null);

    private static bool HasThreeInARow(string subject)
    {
        var row = 0;
        foreach (var c in subject)
        {
            row = char.IsLetterOrDigit(c) ? row + 1 : 0;
            if (row == 3) return true;
        }
        return false;
    }
}
