using System.Collections.Frozen;
using MoxApi.Api.Json;
using MoxApi.Delivery.Composing;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages.Rules;

/// <summary>Header fields of the sender's own. What says where a message is from, how it came and how it is made up is written by the service alone.</summary>
internal static class HeaderRules
{
    public const int MaxHeaders = 50;
    public const int MaxName = 76;
    public const int MaxValue = 4096;

    /// <summary>Fields with a field of the request: a second one would break the limits of RFC 5322 §3.6.</summary>
    private static readonly FrozenDictionary<string, string> Fields = new Dictionary<string, string>
    {
        ["From"] = "from",
        ["Reply-To"] = "replyTo",
        ["To"] = "to",
        ["Cc"] = "cc",
        ["Bcc"] = "bcc",
        ["Subject"] = "subject",
        ["Date"] = "date",
        ["Message-ID"] = "messageId",
        ["In-Reply-To"] = "inReplyTo",
        ["References"] = "references",
        ["TLS-Required"] = "requireTls", // RFC 8689 §5.
    }.ToFrozenDictionary(StringComparer.OrdinalIgnoreCase);

    public static void Check(IReadOnlyList<OpenApi.Messages.MessageHeader> headers, Faults faults)
    {
        if (headers.Count > MaxHeaders) faults.Add("/headers", FaultCodes.TooMany, $"There are at most {MaxHeaders} header fields.");
        for (var i = 0; i < headers.Count; i++)
        {
            var pointer = JsonPointer.Item("/headers", i);
            if (NameFault(headers[i].Name) is { } fault) faults.Add(JsonPointer.Member(pointer, "name"), FaultCodes.InvalidHeader, fault);
            TextRules.OneLine(headers[i].Value, MaxValue, JsonPointer.Member(pointer, "value"), faults);
        }
    }

    private static string? NameFault(string name)
    {
        // RFC 5322 §2.2, §3.6.8: printable ASCII but the colon. With the colon and a space the name must fit a line of 78 (§2.1.1).
        if (name.Length is 0 or > MaxName) return $"The name of a header field has 1 to {MaxName} characters.";
        if (!name.All(c => c is > ' ' and < '\x7f' and not ':')) return "The name of a header field is printable ASCII without spaces and colons.";
        if (Fields.TryGetValue(name, out var field)) return $"Use the field \"{field}\" of the request.";
        return ReservedFields.Has(name) ? "The service writes this header field itself." : null;
    }
}
