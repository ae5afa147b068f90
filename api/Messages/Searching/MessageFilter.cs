using System.Text.Json;
using MoxApi.Api.Json;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Messages;

namespace MoxApi.Api.Messages.Searching;

/// <summary>Which messages of a list are wanted: those that all that is given here is true of.</summary>
internal sealed record MessageFilter
{
    /// <summary>The fewest characters of a subject that are looked for: the index is over sequences of three.</summary>
    public const int MinSubject = 3;

    public const int MaxSubject = 200;

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
        Status = Value<RecipientStatus>(query, "status", faults),
        Recipient = Address(query, faults),
        Tag = Text(query, "tag", 1, Rules.LabelRules.MaxTag, faults),
        Subject = Text(query, "subject", MinSubject, MaxSubject, faults),
        From = Value<DateTimeOffset>(query, "acceptedFrom", faults)?.ToUniversalTime(),
        To = Value<DateTimeOffset>(query, "acceptedTo", faults)?.ToUniversalTime(),
        Count = Switch(query, "count", faults),
    };

    // As in a body, and with the same faults.
    private static T? Value<T>(IQueryCollection query, string name, Faults faults) where T : struct
    {
        if (One(query, name, faults) is not { } text) return null;
        var value = JsonSerializer.SerializeToElement(text, WireJson.Options.GetTypeInfo(typeof(string)));
        var type = WireJson.Options.GetTypeInfo(typeof(T));
        if (Scalar.Fault(value, type) is not { } fault) return (T)value.Deserialize(type)!;
        faults.AddParameter(name, fault.Code, fault.Detail);
        return null;
    }

    private static string? Address(IQueryCollection query, Faults faults)
    {
        if (One(query, "recipient", faults) is not { } text) return null;
        if (MailAddress.TryParse(text, out var address, out var fault)) return BaseAddress.Of(address);
        faults.AddParameter("recipient", FaultCodes.InvalidAddress, fault);
        return null;
    }

    private static string? Text(IQueryCollection query, string name, int min, int max, Faults faults)
    {
        if (One(query, name, faults) is not { } text) return null;
        if (text.Length >= min && text.Length <= max && !text.Any(char.IsControl)) return text;
        faults.AddParameter(name, FaultCodes.InvalidValue, $"The text has {min} to {max} characters, without control characters.");
        return null;
    }

    private static bool Switch(IQueryCollection query, string name, Faults faults)
    {
        var text = One(query, name, faults);
        if (text is not (null or "true" or "false")) faults.AddParameter(name, FaultCodes.InvalidValue, "The value must be true or false.");
        return text == "true";
    }

    private static string? One(IQueryCollection query, string name, Faults faults)
    {
        if (!query.TryGetValue(name, out var values)) return null;
        if (values is [{ } text]) return text;
        faults.AddParameter(name, FaultCodes.InvalidValue, "The parameter is given once.");
        return null;
    }
}
