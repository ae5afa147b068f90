using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Konscious.Security.Cryptography;

namespace MoxApi.Api.Access;

/// <summary>
/// Argon2id verifiers (RFC 9106) in PHC form: 19 MiB, 2 passes, 1 lane, which takes some 50 ms. At most two run at once, so that guessing
/// takes neither the memory nor the cores.
/// </summary>
internal static class PasswordHash
{
    private const int MemoryKib = 19 * 1024;
    private const int Passes = 2;
    private const int Lanes = 1;
    private const int SaltLength = 16;
    private const int HashLength = 32;

    private static readonly SemaphoreSlim AtOnce = new(2, 2);

    // Verifying against this costs as much as against a user's: who asks learns nothing about who exists.
    private static readonly string Nobody = Format(new byte[SaltLength], new byte[HashLength]);

    /// <summary>The verifier of a password.</summary>
    public static async Task<string> CreateAsync(string password, CancellationToken cancel = default)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltLength);
        await AtOnce.WaitAsync(cancel);
        try
        {
            return Format(salt, await ComputeAsync(password, salt));
        }
        finally
        {
            AtOnce.Release();
        }
    }

    /// <summary>Whether a password fits a verifier; none fits an absent one, in the same time.</summary>
    /// <param name="password">As it was given.</param>
    /// <param name="stored">The verifier; null where there is no such user, or no password.</param>
    /// <param name="isKnown">Called when the turn has come: whether it has become known that the password fits, which saves the work. May throw.</param>
    /// <param name="cancel">Gives up waiting for the turn.</param>
    public static async Task<bool> VerifyAsync(string password, string? stored, Func<bool> isKnown, CancellationToken cancel)
    {
        var parts = (stored ?? Nobody).Split('$');
        await AtOnce.WaitAsync(cancel);
        try
        {
            return isKnown() || (CryptographicOperations.FixedTimeEquals(await ComputeAsync(password, FromBase64(parts[4])), FromBase64(parts[5])) && stored is not null);
        }
        finally
        {
            AtOnce.Release();
        }
    }

    private static async Task<byte[]> ComputeAsync(string password, byte[] salt)
    {
        // The library takes no empty password. None that is stored is empty or begins so.
        using var argon = new Argon2id(Encoding.UTF8.GetBytes(password.Length > 0 ? password : "\0")) { Salt = salt, MemorySize = MemoryKib, Iterations = Passes, DegreeOfParallelism = Lanes };
        return await argon.GetBytesAsync(HashLength);
    }

    private static string Format(byte[] salt, byte[] hash) =>
        string.Create(CultureInfo.InvariantCulture, $"$argon2id$v=19$m={MemoryKib},t={Passes},p={Lanes}${ToBase64(salt)}${ToBase64(hash)}");

    private static string ToBase64(byte[] bytes) => Convert.ToBase64String(bytes).TrimEnd('=');

    private static byte[] FromBase64(string text) => Convert.FromBase64String(text.PadRight((text.Length + 3) / 4 * 4, '='));
}
