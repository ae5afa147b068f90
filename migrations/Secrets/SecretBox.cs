using System.Security.Cryptography;
using System.Text;
using Npgsql;

namespace MoxApi.Migrations.Secrets;

/// <summary>
/// Seals secrets for the database with AES-256-GCM (NIST SP 800-38D) and opens them again. A sealed value is bound to its row by the associated
/// data, so it cannot be moved to another row, and it names its key, so keys can be rotated: give the new key first and the old ones after it.
/// </summary>
/// <remarks>
/// A sealed value is: version (1 byte, 1), key id (4), nonce (12), tag (16), ciphertext (as long as the plaintext). The first five bytes are
/// authenticated with the associated data. Nonces are random; one key is good for 2³² values (SP 800-38D §8.3).
/// </remarks>
public sealed class SecretBox
{
    internal const int KeyIdSize = 4;
    private const byte Version = 1;
    private const int NonceSize = 12;
    private const int TagSize = 16;
    private const int HeaderSize = 1 + KeyIdSize;
    private const int Overhead = HeaderSize + NonceSize + TagSize;

    private readonly MasterKey current;
    private readonly Dictionary<string, MasterKey> keys;

    /// <summary>A box that seals under one key and opens what was sealed under it or under an earlier one.</summary>
    public SecretBox(MasterKey current, params IEnumerable<MasterKey> earlier)
    {
        this.current = current;
        keys = earlier.Prepend(current).DistinctBy(key => key.Id).ToDictionary(key => key.Id);
    }

    /// <summary>Seals a secret.</summary>
    /// <param name="plaintext">The secret; may be empty.</param>
    /// <param name="associatedData">Names the row and the purpose, such as <c>dkim_key:example.org:s1</c>; needed again to open.</param>
    public byte[] Seal(ReadOnlySpan<byte> plaintext, string associatedData)
    {
        var box = new byte[Overhead + plaintext.Length];
        box[0] = Version;
        Convert.FromHexString(current.Id).CopyTo(box, 1);
        RandomNumberGenerator.Fill(Nonce(box));
        using var aes = new AesGcm(current.Bytes, TagSize);
        aes.Encrypt(Nonce(box), plaintext, Ciphertext(box), Tag(box), Bound(box, associatedData));
        return box;
    }

    /// <summary>Opens a sealed secret.</summary>
    /// <exception cref="SecretException">It was sealed under a key that is not here, was changed, or belongs to another row.</exception>
    public byte[] Open(ReadOnlySpan<byte> sealedValue, string associatedData)
    {
        if (sealedValue.Length < Overhead || sealedValue[0] != Version)
            throw new SecretException($"The secret of {associatedData} is not a sealed value of a kind that this program knows.");
        var keyId = Convert.ToHexStringLower(sealedValue[1..HeaderSize]);
        if (!keys.TryGetValue(keyId, out var key)) throw Unknown($"The secret of {associatedData}", keyId);
        var box = sealedValue.ToArray();
        var plaintext = new byte[box.Length - Overhead];
        using var aes = new AesGcm(key.Bytes, TagSize);
        try
        {
            aes.Decrypt(Nonce(box), Ciphertext(box), Tag(box), plaintext, Bound(box, associatedData));
            return plaintext;
        }
        catch (AuthenticationTagMismatchException e)
        {
            throw new SecretException($"The secret of {associatedData} was changed, or belongs to another row.", e);
        }
    }

    /// <summary>Checks that every secret in the database can be opened with the keys that are here, so that a wrong one is told at the start and not by the first send.</summary>
    /// <exception cref="SecretException">One was sealed under another key.</exception>
    public async Task CheckAsync(NpgsqlDataSource database, CancellationToken cancel)
    {
        await using var command = database.CreateCommand($"""
            SELECT DISTINCT substring(sealed FROM 2 FOR {KeyIdSize}) FROM (
              SELECT sealed_private_key AS sealed FROM dkim_key UNION ALL SELECT sealed_secret FROM webhook_endpoint UNION ALL
              SELECT sealed_previous_secret FROM webhook_endpoint WHERE sealed_previous_secret IS NOT NULL) s
            """);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            var keyId = Convert.ToHexStringLower(reader.GetFieldValue<byte[]>(0));
            if (!keys.ContainsKey(keyId)) throw Unknown("A secret in the database", keyId);
        }
    }

    private SecretException Unknown(string what, string keyId) => new(
        $"{what} was sealed under the master key {keyId}, but here is {string.Join(", ", keys.Keys)}. "
        + "Restore the master key that belongs to this database: Secrets:MasterKey, or the file master.key of the data folder.");

    private static byte[] Bound(ReadOnlySpan<byte> box, string associatedData) => [.. box[..HeaderSize], .. Encoding.UTF8.GetBytes(associatedData)];

    private static Span<byte> Nonce(Span<byte> box) => box.Slice(HeaderSize, NonceSize);

    private static Span<byte> Tag(Span<byte> box) => box.Slice(HeaderSize + NonceSize, TagSize);

    private static Span<byte> Ciphertext(Span<byte> box) => box[Overhead..];
}
