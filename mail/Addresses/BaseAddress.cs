using System.Collections.Frozen;

namespace MoxApi.Mail.Addresses;

/// <summary>
/// What an address has in common with other spellings that reach the same person, so that suppressing one suppresses all: lower case, without
/// what follows a <c>+</c>, and without dots where the provider is known to ignore them. It is not cut at <c>-</c>: for most providers that
/// would be somebody else's address.
/// </summary>
public static class BaseAddress
{
    private static readonly FrozenDictionary<string, string> IgnoresDots = new Dictionary<string, string>
    {
        ["gmail.com"] = "gmail.com",
        ["googlemail.com"] = "gmail.com",
        ["protonmail.com"] = "protonmail.com",
        ["proton.me"] = "proton.me",
        ["pm.me"] = "pm.me",
    }.ToFrozenDictionary(StringComparer.Ordinal);

    /// <summary>The base form, with A-labels. It is a key, and not meant to be sent to.</summary>
    public static string Of(MailAddress address)
    {
        var local = address.LocalPart.ToLowerInvariant();
        var plus = local.IndexOf('+', StringComparison.Ordinal);
        if (plus > 0) local = local[..plus];
        if (!IgnoresDots.TryGetValue(address.Domain.Ascii, out var domain)) return $"{local}@{address.Domain.Ascii}";
        var plain = local.Replace(".", "", StringComparison.Ordinal);
        return $"{(plain.Length > 0 ? plain : local)}@{domain}";
    }
}
