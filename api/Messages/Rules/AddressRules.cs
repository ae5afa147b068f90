using MoxApi.Api.Json;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages.Rules;

/// <summary>Addresses in a request: <c>address</c> or <c>Name &lt;address&gt;</c>.</summary>
internal static class AddressRules
{
    public static Mailbox? Optional(string? text, string pointer, Faults faults)
    {
        if (text is null) return null;
        if (!Mailbox.TryParse(text, out var named, out var fault)) faults.Add(pointer, FaultCodes.InvalidAddress, fault);
        return named;
    }

    public static IReadOnlyList<Mailbox> All(IReadOnlyList<string>? texts, string pointer, Faults faults)
    {
        var all = new List<Mailbox>(texts?.Count ?? 0);
        for (var i = 0; i < texts?.Count; i++)
        {
            if (Optional(texts[i], JsonPointer.Item(pointer, i), faults) is { } named) all.Add(named);
        }
        return all;
    }
}
