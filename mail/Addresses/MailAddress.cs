using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace MoxApi.Mail.Addresses;

/// <summary>
/// A mailbox address <c>local-part@domain</c> (RFC 5321 §4.1.2, RFC 6531 §3.3). The local part is kept decoded (without quotes and quoted
/// pairs) and in NFC; whether it needs quotes is decided when it is written. Local parts are compared exactly: only the receiving domain
/// may fold their case (RFC 5321 §2.4).
/// </summary>
public sealed class MailAddress : IEquatable<MailAddress>
{
    private const string AtextSpecials = "!#$%&'*+-/=?^_`{|}~";

    private MailAddress(string localPart, MailDomain domain)
    {
        LocalPart = localPart;
        Domain = domain;
    }

    /// <summary>The local part without quotes, 1 to 64 octets in UTF-8 (RFC 5321 §4.5.3.1.1).</summary>
    public string LocalPart { get; }

    /// <summary>The domain. Address literals such as <c>[192.0.2.1]</c> are not supported.</summary>
    public MailDomain Domain { get; }

    /// <summary>Whether the local part has characters that only SMTPUTF8 can carry (RFC 6531).</summary>
    public bool NeedsSmtpUtf8 => !Ascii.IsValid(LocalPart);

    /// <summary>The address for SMTP and header fields with A-labels, the local part quoted where the grammar asks for it.</summary>
    public string ToAscii() => $"{QuotedLocalPart()}@{Domain.Ascii}";

    /// <summary>The address for people and JSON, with U-labels, the local part quoted where the grammar asks for it.</summary>
    public override string ToString() => $"{QuotedLocalPart()}@{Domain.Unicode}";

    /// <summary>The local part as a Dot-string where possible, else as a Quoted-string (RFC 5321 §4.1.2: prefer the Dot-string).</summary>
    public string QuotedLocalPart()
    {
        if (IsDotString(LocalPart)) return LocalPart;
        var quoted = new StringBuilder(LocalPart.Length + 4).Append('"');
        foreach (var c in LocalPart)
        {
            if (c is '"' or '\\') quoted.Append('\\');
            quoted.Append(c);
        }
        return quoted.Append('"').ToString();
    }

    /// <summary>Makes an address of a decoded local part and a domain.</summary>
    public static bool TryCreate(string localPart, MailDomain domain, [NotNullWhen(true)] out MailAddress? address, [NotNullWhen(false)] out string? fault)
    {
        address = null;
        localPart = TryNormalize(localPart) ?? "";
        if (localPart.Length == 0) return Fail("An address needs a local part before the @.", out fault);
        if (Encoding.UTF8.GetByteCount(localPart) > 64) return Fail("A local part has at most 64 octets.", out fault);
        foreach (var c in localPart)
        {
            // RFC 5321 §4.1.2 QcontentSMTP: printable only; RFC 6531 adds what is outside ASCII, of which C1 controls are no text.
            if (c < ' ' || c is >= '\x7f' and < '\xa0') return Fail("A local part has no control characters.", out fault);
        }
        address = new MailAddress(localPart, domain);
        fault = null;
        return true;
    }

    /// <summary>Reads a bare address, without display name or angle brackets.</summary>
    /// <param name="text">Such as <c>jane@example.org</c> or <c>"jane doe"@example.org</c>.</param>
    /// <param name="address">The address, when the text is one.</param>
    /// <param name="fault">What is wrong, as a sentence for people, when it is not.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MailAddress? address, [NotNullWhen(false)] out string? fault)
    {
        address = null;
        if (string.IsNullOrEmpty(text)) return Fail("An address is missing.", out fault);
        if (text.Length > 1024) return Fail("An address has at most 254 octets.", out fault);
        if (!TryReadLocalPart(text, out var localPart, out var rest, out fault)) return false;
        if (rest >= text.Length || text[rest] != '@') return Fail("An address needs an @ and a domain after its local part.", out fault);
        if (rest + 1 == text.Length) return Fail("An address needs a domain after the @.", out fault);
        if (text[rest + 1] == '[') return Fail("Address literals in square brackets are not supported; use a domain.", out fault);
        return MailDomain.TryParse(text[(rest + 1)..], out var domain, out fault) && TryCreate(localPart, domain, out address, out fault);
    }

    /// <summary>Reads an address that is known to be one.</summary>
    /// <exception cref="FormatException">The text is no address.</exception>
    public static MailAddress Parse(string text) => TryParse(text, out var address, out var fault) ? address : throw new FormatException(fault);

    /// <inheritdoc/>
    public bool Equals(MailAddress? other) => other is not null && LocalPart == other.LocalPart && Domain.Equals(other.Domain);

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MailAddress);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(LocalPart, Domain);

    /// <summary>Reads the local part at the start of <paramref name="text"/>, decoded, and tells where it ends.</summary>
    internal static bool TryReadLocalPart(string text, out string localPart, out int end, [NotNullWhen(false)] out string? fault)
    {
        localPart = "";
        end = 0;
        if (text[0] == '"') return TryReadQuoted(text, out localPart, out end, out fault);
        while (end < text.Length && IsAtextOrDot(text[end])) end++;
        localPart = text[..end];
        if (localPart.Length == 0 && (text[0] == '@')) return Fail("An address needs a local part before the @.", out fault);
        if (end < text.Length && text[end] != '@') return Fail($"A local part has the character U+{(int)text[end]:X4} only inside quotes.", out fault);
        if (!IsDotString(localPart)) return Fail("A local part has a dot at an end, or two in a row; such a one needs quotes.", out fault);
        fault = null;
        return true;
    }

    private static bool TryReadQuoted(string text, out string localPart, out int end, [NotNullWhen(false)] out string? fault)
    {
        var decoded = new StringBuilder();
        localPart = "";
        for (end = 1; end < text.Length; end++)
        {
            var c = text[end];
            if (c == '"')
            {
                end++;
                localPart = decoded.ToString();
                fault = null;
                return true;
            }
            if (c == '\\' && ++end < text.Length) c = text[end];
            decoded.Append(c);
        }
        return Fail("The quoted local part has no closing quote.", out fault);
    }

    private static bool IsDotString(string text)
    {
        if (text.Length == 0 || text[0] == '.' || text[^1] == '.' || text.Contains("..", StringComparison.Ordinal)) return false;
        foreach (var c in text)
        {
            if (!IsAtextOrDot(c)) return false;
        }
        return true;
    }

    // RFC 5322 §3.2.3 atext; RFC 6532 §3.2 adds all of UTF8-non-ascii.
    private static bool IsAtextOrDot(char c) => char.IsAsciiLetterOrDigit(c) || c == '.' || c >= '\xa0' || AtextSpecials.Contains(c, StringComparison.Ordinal);

    private static string? TryNormalize(string text)
    {
        try
        {
            return Ascii.IsValid(text) ? text : text.Normalize(NormalizationForm.FormC);
        }
        catch (ArgumentException)
        {
            return null; // A lone surrogate.
        }
    }

    private static bool Fail(string what, out string fault)
    {
        fault = what;
        return false;
    }
}
