using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace MoxApi.Webhooks.Signing;

/// <summary>Signs what is posted (Standard Webhooks 1.0): HMAC-SHA256 over <c>id.timestamp.body</c>.</summary>
public static class StandardWebhooksSigner
{
    /// <summary>The event's id, the same at every retry, so that a receiver can tell what it had before.</summary>
    public const string IdHeader = "webhook-id";

    /// <summary>When this attempt was made, in whole seconds since 1970.</summary>
    public const string TimestampHeader = "webhook-timestamp";

    /// <summary>Signatures with their versions, separated by spaces.</summary>
    public const string SignatureHeader = "webhook-signature";

    internal const string Version = "v1,";

    /// <summary>The value of <see cref="TimestampHeader"/>.</summary>
    public static string Timestamp(DateTimeOffset time) => time.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    /// <summary>The value of <see cref="SignatureHeader"/>: <c>v1,</c> and the signature in base64.</summary>
    /// <param name="secret">The endpoint's.</param>
    /// <param name="id">The value of <see cref="IdHeader"/>.</param>
    /// <param name="timestamp">The value of <see cref="TimestampHeader"/>.</param>
    /// <param name="body">The octets posted.</param>
    public static string Sign(WebhookSecret secret, string id, string timestamp, ReadOnlySpan<byte> body) =>
        Version + Convert.ToBase64String(Hash(secret, id, timestamp, body));

    /// <summary>The value of <see cref="SignatureHeader"/> with a signature of each secret, separated by spaces: receivers take the one that they know.</summary>
    public static string Sign(IEnumerable<WebhookSecret> secrets, string id, string timestamp, ReadOnlyMemory<byte> body) =>
        string.Join(' ', secrets.Select(secret => Sign(secret, id, timestamp, body.Span)));

    internal static byte[] Hash(WebhookSecret secret, string id, string timestamp, ReadOnlySpan<byte> body)
    {
        using var hmac = IncrementalHash.CreateHMAC(HashAlgorithmName.SHA256, secret.Key);
        hmac.AppendData(Encoding.UTF8.GetBytes($"{id}.{timestamp}."));
        hmac.AppendData(body);
        return hmac.GetHashAndReset();
    }
}
