using System.Globalization;
using System.Security.Cryptography;

namespace MoxApi.Webhooks.Signing;

/// <summary>Whether what was received is authentic.</summary>
public enum WebhookVerdict
{
    /// <summary>Signed with the secret, and fresh.</summary>
    Authentic,

    /// <summary>A header is missing or cannot be read.</summary>
    Malformed,

    /// <summary>Sent too long ago, or in the future: it may be a replay.</summary>
    Stale,

    /// <summary>No signature is one of the secret.</summary>
    WrongSignature,
}

/// <summary>Verifies what <see cref="StandardWebhooksSigner"/> signs, as a receiver does.</summary>
public static class StandardWebhooksVerifier
{
    /// <summary>How far a timestamp may be from the receiver's clock: what the standard's own libraries take.</summary>
    public static readonly TimeSpan Tolerance = TimeSpan.FromMinutes(5);

    // A sender that rotates secrets signs twice; more than a few are somebody's attempt to make us work.
    private const int MostSignatures = 8;

    /// <summary>Judges a request.</summary>
    /// <param name="secret">The endpoint's.</param>
    /// <param name="id">The header <c>webhook-id</c>.</param>
    /// <param name="timestamp">The header <c>webhook-timestamp</c>.</param>
    /// <param name="signatures">The header <c>webhook-signature</c>.</param>
    /// <param name="body">The octets received.</param>
    /// <param name="now">The receiver's time.</param>
    public static WebhookVerdict Verify(
        WebhookSecret secret, string? id, string? timestamp, string? signatures, ReadOnlySpan<byte> body, DateTimeOffset now)
    {
        if (string.IsNullOrEmpty(id) || string.IsNullOrEmpty(signatures)) return WebhookVerdict.Malformed;
        if (!long.TryParse(timestamp, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)) return WebhookVerdict.Malformed;
        if (Math.Abs(now.ToUnixTimeSeconds() - (decimal)seconds) > (decimal)Tolerance.TotalSeconds) return WebhookVerdict.Stale;
        var expected = StandardWebhooksSigner.Hash(secret, id, timestamp, body);
        return signatures.Split(' ', MostSignatures).Any(s => IsSignature(s, expected)) ? WebhookVerdict.Authentic : WebhookVerdict.WrongSignature;
    }

    private static bool IsSignature(string text, byte[] expected)
    {
        Span<byte> octets = stackalloc byte[64];
        return text.StartsWith(StandardWebhooksSigner.Version, StringComparison.Ordinal)
            && Convert.TryFromBase64Chars(text.AsSpan(StandardWebhooksSigner.Version.Length), octets, out var length)
            && CryptographicOperations.FixedTimeEquals(octets[..length], expected); // Does not tell by its time how much was right.
    }
}
