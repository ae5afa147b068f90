using MoxApi.Api.Json;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Messages.Rules;

/// <summary>Texts that go into header fields.</summary>
internal static class TextRules
{
    private const int MaxMessageId = 250;

    /// <summary>A text without control characters: no CR, LF or NUL can begin a header field of the sender's own.</summary>
    public static void OneLine(string? text, int max, string pointer, Faults faults)
    {
        if (text is null) return;
        if (text.Length > max) faults.Add(pointer, FaultCodes.TooLong, $"The text has at most {max} characters.");
        foreach (var c in text)
        {
            // U+2028 and U+2029 are line ends to some programs that show or rewrite headers.
            if (!char.IsControl(c) && c is not ('\u2028' or '\u2029')) continue;
            faults.Add(pointer, FaultCodes.InvalidCharacter, $"The text is one line without control characters; it has U+{(int)c:X4}.");
            return;
        }
    }

    /// <summary>A text as <see cref="OneLine"/> has it, of at least one character.</summary>
    public static void Word(string text, int max, string pointer, Faults faults)
    {
        if (text.Length == 0) faults.Add(pointer, FaultCodes.InvalidValue, "The text is empty.");
        OneLine(text, max, pointer, faults);
    }

    /// <summary>A message id (RFC 5322 §3.6.4): <c>&lt;left@right&gt;</c>, wider than the grammar in what real programs write.</summary>
    public static void MessageId(string? text, string pointer, Faults faults)
    {
        if (text is null) return;
        if (text.Length > MaxMessageId) faults.Add(pointer, FaultCodes.TooLong, $"A message id has at most {MaxMessageId} characters.");
        else if (!IsMessageId(text)) faults.Add(pointer, FaultCodes.InvalidMessageId, "A message id is <left@right>, in angle brackets, printable ASCII without spaces.");
    }

    private static bool IsMessageId(string text)
    {
        if (text is not ['<', .. var inside, '>']) return false;
        var at = inside.LastIndexOf('@');
        // Quoted strings and comments are obsolete inside an id, and differently read.
        return at > 0 && at < inside.Length - 1 && inside.All(c => c is > ' ' and < '\x7f' and not ('<' or '>' or '(' or ')' or '"' or '\\' or ',' or ';'));
    }
}
