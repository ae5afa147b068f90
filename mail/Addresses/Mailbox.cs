using System.Diagnostics.CodeAnalysis;

namespace MoxApi.Mail.Addresses;

/// <summary>An address with the name that people see (RFC 5322 §3.4 <c>mailbox</c>).</summary>
/// <param name="DisplayName">The name in plain Unicode, without quotes or encoding; null or empty for none.</param>
/// <param name="Address">The address.</param>
public sealed record Mailbox(string? DisplayName, MailAddress Address)
{
    /// <summary>The longest name that <see cref="TryParse"/> takes, in characters.</summary>
    public const int MaxNameLength = 256;

    /// <summary>An address without a name.</summary>
    public Mailbox(MailAddress address)
        : this(null, address)
    {
    }

    /// <summary><c>Name &lt;address&gt;</c> or the bare address, as JSON has it: not the form of a header field.</summary>
    public override string ToString() => string.IsNullOrEmpty(DisplayName) ? Address.ToString() : $"{DisplayName} <{Address}>";

    /// <summary>
    /// Reads <c>address</c> or <c>Name &lt;address&gt;</c>: the text before the last <c>&lt;</c> is the name, verbatim. This is not the syntax of a
    /// header field: a name needs no quotes, whatever its characters, and quotes would be part of it.
    /// </summary>
    /// <param name="text">Such as <c>Acme, Inc. &lt;receipts@acme.example&gt;</c>.</param>
    /// <param name="mailbox">Name and address, when the text is one.</param>
    /// <param name="fault">What is wrong, as a sentence for people, when it is not.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out Mailbox? mailbox, [NotNullWhen(false)] out string? fault)
    {
        mailbox = null;
        text = text?.Trim(' ') ?? "";
        var bracket = text.EndsWith('>') ? text.LastIndexOf('<') : -1;
        if (text.EndsWith('>') && bracket < 0) return Fail("An address that ends in > needs a < before it.", out fault);
        var name = bracket < 0 ? "" : text[..bracket].Trim(' ');
        if (name.Length > MaxNameLength) return Fail($"A display name has at most {MaxNameLength} characters.", out fault);
        if (name.Any(char.IsControl)) return Fail("A display name has no control characters.", out fault);
        if (!MailAddress.TryParse(bracket < 0 ? text : text[(bracket + 1)..^1], out var address, out fault)) return false;
        mailbox = new Mailbox(name.Length == 0 ? null : name, address);
        return true;
    }

    private static bool Fail(string what, out string fault)
    {
        fault = what;
        return false;
    }
}
