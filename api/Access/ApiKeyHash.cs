using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace MoxApi.Api.Access;

/// <summary>API keys: <c>mox_</c> and 32 random bytes. Being that random, they are stored by one round of SHA-256.</summary>
internal static class ApiKeyHash
{
    private const string KeyPrefix = "mox_";

    /// <summary>Characters that are stored and shown, to tell keys apart: 8 of the 43 random ones, which leaves 210 bits unknown.</summary>
    private const int ShownLength = 12;

    /// <summary>A new key.</summary>
    public static string NewKey() => KeyPrefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(32));

    /// <summary>What is stored of a key.</summary>
    public static byte[] Of(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    /// <summary>What is shown of a key.</summary>
    public static string Shown(string key) => key[..Math.Min(key.Length, ShownLength)];
}
