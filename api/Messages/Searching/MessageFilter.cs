using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Searching;

/// <summary>Which messages of a list are wanted: those that all that is given here is true of.</summary>
internal sealed record MessageFilter
{
    /// <summary>The fewest characters of a subject that are looked for: the index is over sequences of three.</summary>
    public const int MinSubject = 3;

    public const int MaxSubject = 200;
    public const int MaxAddress = 320;

    /// <summary>The parameters that a filter is read from.</summary>
    public static IReadOnlyList<string> Parameters { get; } = ["status", "recipient", "tag", "subject", "acceptedFrom", "acceptedTo", "count"];

    /// <summary>The state of a recipient; with <see cref="Recipient"/>, of that one.</summary>
    public RecipientStatus? Status { get; init; }

    /// <summary>The base address of a recipient.</summary>
    public string? Recipient { get; init; }

    public string? Tag { get; init; }

    /// <summary>A part of the subject, whatever the case of its letters.</summary>
    public string? Subject { get; init; }

    /// <summary>The first time that belongs.</summary>
    public DateTimeOffset? From { get; init; }

    /// <summary>The first time that no longer belongs.</summary>
    public DateTimeOffset? To { get; init; }

    /// <summary>Whether the matches are to be counted.</summary>
    public bool Count { get; init; }

    /// <summary>Reads a filter; what is wrong is added to <paramref name="faults"/>.</summary>
    public static MessageFilter Read(IQueryCollection query, Faults faults) => new()
    {
        Status = Filters.Word<RecipientStatus>(query, "status", faults),
        Recipient = Address(query, faults),
        Tag = Filters.Text(query, "tag", Rules.LabelRules.MaxTag, faults),
        Subject = Part(query, faults),
        From = Filters.Time(query, "acceptedFrom", faults),
        To = Filters.Time(query, "acceptedTo", faults),
        Count = Filters.Switch(query, "count", faults),
    };

    private static string? Address(IQueryCollection query, Faults faults)
    {
        if (Filters.Text(query, "recipient", MaxAddress, faults) is not { } text) return null;
        if (MailAddress.TryParse(text, out var address, out var fault)) return BaseAddress.Of(address);
        faults.AddParameter("recipient", FaultCodes.InvalidAddress, fault);
        return null;
    }

    private static string? Part(IQueryCollection query, Faults faults)
    {
        if (Filters.Text(query, "subject", MaxSubject, faults) is not { } text) return null;
        if (text.Length >= MinSubject) return text;
        faults.AddParameter("subject", FaultCodes.InvalidValue, $"A subject is looked for by {MinSubject} characters or more.");
        return null;
    }
}
