using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace MoxApi.Webhooks.Signing;

/// <summary>The key of an endpoint's signatures (Standard Webhooks 1.0, "Signature scheme"): written <c>whsec_</c> and base64.</summary>
public sealed class WebhookSecret
{
    private const string Prefix = "whsec_";
    private const int NewLength = 32;

    // The standard asks for 24 to 64 octets.
    private const int Shortest = 24;
    private const int Longest = 64;

    private readonly byte[] key;

    private WebhookSecret(byte[] key) => this.key = key;

    /// <summary>The octets of the HMAC's key.</summary>
    public ReadOnlySpan<byte> Key => key;

    /// <summary>A new one of 32 random octets.</summary>
    public static WebhookSecret Create() => new(RandomNumberGenerator.GetBytes(NewLength));

    /// <summary>One of stored octets.</summary>
    /// <exception cref="ArgumentException">They are not 24 to 64.</exception>
    public static WebhookSecret FromKey(byte[] key) =>
        key.Length is >= Shortest and <= Longest ? new(key) : throw new ArgumentException("A webhook's secret has 24 to 64 octets.", nameof(key));

    /// <summary>Reads <c>whsec_…</c>; false where it is no base64 of 24 to 64 octets.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out WebhookSecret? secret)
    {
        secret = null;
        Span<byte> octets = stackalloc byte[Longest];
        if (text is null || !text.StartsWith(Prefix, StringComparison.Ordinal)) return false;
        if (!Convert.TryFromBase64Chars(text.AsSpan(Prefix.Length), octets, out var length) || length < Shortest) return false;
        secret = new(octets[..length].ToArray());
        return true;
    }

    /// <summary>The written form, to be shown to the endpoint's owner. <see cref="ToString"/> does not give it away.</summary>
    public string Reveal() => Prefix + Convert.ToBase64String(key);

    /// <inheritdoc/>
    public override string ToString() => Prefix + "…";
}
