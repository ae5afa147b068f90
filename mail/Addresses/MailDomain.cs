using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Text;

namespace MoxApi.Mail.Addresses;

/// <summary>
/// A domain name as mail uses it, in its two forms: A-labels for DNS and for servers without SMTPUTF8, U-labels in NFC for people and for
/// comparison (RFC 5890 §2.3.2.1). Equality is over the lower-case A-labels, so <c>Exämple.org</c> equals <c>xn--exmple-cua.org</c>.
/// </summary>
public sealed class MailDomain : IEquatable<MailDomain>
{
    private static readonly IdnMapping Idn = new() { UseStd3AsciiRules = false, AllowUnassigned = false };

    private MailDomain(string ascii, string unicode)
    {
        Ascii = ascii;
        Unicode = unicode;
    }

    /// <summary>Lower-case A-labels without a trailing dot, 1 to 253 octets.</summary>
    public string Ascii { get; }

    /// <summary>Lower-case U-labels in NFC, for display.</summary>
    public string Unicode { get; }

    /// <summary>
    /// Reads a domain in either form. Letters, digits, hyphens and underscores are taken (underscores occur in real MX names and DKIM
    /// selectors); a trailing dot is dropped; a single label such as <c>localhost</c> is a domain.
    /// </summary>
    /// <param name="text">The domain, with A-labels, U-labels or a mix.</param>
    /// <param name="domain">The domain, when the text is one.</param>
    /// <param name="fault">What is wrong, as a sentence for people, when it is not.</param>
    public static bool TryParse(string? text, [NotNullWhen(true)] out MailDomain? domain, [NotNullWhen(false)] out string? fault)
    {
        domain = null;
        if (string.IsNullOrEmpty(text)) return Fail("A domain is missing.", out fault);
        if (text.Length > 1024) return Fail("A domain has at most 253 octets.", out fault);
        var name = text[^1] == '.' ? text[..^1] : text;
        string ascii, unicode;
        if (Ascii7(name))
        {
            ascii = Lower(name);
            unicode = ascii;
            if (ascii.Contains("xn--", StringComparison.Ordinal) && !TryUnicode(ascii, out unicode))
                return Fail("The domain has an A-label that is not valid IDNA.", out fault);
        }
        else
        {
            try
            {
                ascii = Lower(Idn.GetAscii(name.Normalize(NormalizationForm.FormC)));
            }
            catch (ArgumentException)
            {
                return Fail("The domain is not valid in IDNA.", out fault);
            }
            if (!TryUnicode(ascii, out unicode)) return Fail("The domain is not valid in IDNA.", out fault);
        }
        if (!LabelsAreValid(ascii, out fault)) return false;
        domain = new MailDomain(ascii, unicode == ascii ? ascii : unicode);
        return true;
    }

    /// <summary>Reads a domain that is known to be one.</summary>
    /// <exception cref="FormatException">The text is no domain.</exception>
    public static MailDomain Parse(string text) => TryParse(text, out var domain, out var fault) ? domain : throw new FormatException(fault);

    /// <inheritdoc/>
    public bool Equals(MailDomain? other) => other is not null && Ascii == other.Ascii;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as MailDomain);

    /// <inheritdoc/>
    public override int GetHashCode() => Ascii.GetHashCode(StringComparison.Ordinal);

    /// <summary>The U-label form.</summary>
    public override string ToString() => Unicode;

    private static bool TryUnicode(string ascii, out string unicode)
    {
        try
        {
            unicode = Idn.GetUnicode(ascii).Normalize(NormalizationForm.FormC);
            return true;
        }
        catch (ArgumentException)
        {
            unicode = ascii;
            return false;
        }
    }

    private static bool LabelsAreValid(string ascii, [NotNullWhen(false)] out string? fault)
    {
        // RFC 1035 §2.3.4: labels 63 octets or less; a name 255 octets in wire form, which is 253 characters.
        if (ascii.Length is 0 or > 253) return Fail("A domain has 1 to 253 octets.", out fault);
        foreach (var range in ascii.AsSpan().Split('.'))
        {
            var label = ascii.AsSpan(range);
            if (label.Length == 0) return Fail("The domain has an empty label (two dots in a row, or a dot at an end).", out fault);
            if (label.Length > 63) return Fail("A label of a domain has at most 63 octets.", out fault);
            if (label[0] == '-' || label[^1] == '-') return Fail("A label of a domain does not begin or end with a hyphen.", out fault);
            foreach (var c in label)
            {
                if (!char.IsAsciiLetterOrDigit(c) && c is not ('-' or '_')) return Fail($"A domain has no character U+{(int)c:X4}.", out fault);
            }
        }
        fault = null;
        return true;
    }

    private static bool Ascii7(string text) => System.Text.Ascii.IsValid(text);

    private static string Lower(string text) => text.ToLowerInvariant();

    private static bool Fail(string what, out string fault)
    {
        fault = what;
        return false;
    }
}
