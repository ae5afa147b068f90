using System.Security.Cryptography;

namespace MoxApi.Migrations.Secrets;

/// <summary>The 32 bytes that everything secret in the database is sealed under. They come from configuration or a file, never from the database.</summary>
public sealed class MasterKey
{
    /// <summary>The size of a key in bytes.</summary>
    public const int Size = 32;

    private readonly byte[] bytes;

    private MasterKey(byte[] bytes)
    {
        this.bytes = bytes;
        // A name for the key that tells nothing about it; a different use than sealing, hence a derivation of its own.
        Id = Convert.ToHexStringLower(HMACSHA256.HashData(bytes, "moxapi key id"u8)[..SecretBox.KeyIdSize]);
    }

    /// <summary>The name of the key, eight hexadecimal digits, which each value sealed under it carries.</summary>
    public string Id { get; }

    internal ReadOnlySpan<byte> Bytes => bytes;

    /// <summary>Reads a key from configuration.</summary>
    /// <param name="base64">32 bytes in base64, such as <c>openssl rand -base64 32</c> makes.</param>
    /// <exception cref="SecretException">It is not that.</exception>
    public static MasterKey Parse(string base64)
    {
        var bytes = new byte[Size + 3];
        return Convert.TryFromBase64String(base64.Trim(), bytes, out var count) && count == Size
            ? new MasterKey(bytes[..Size])
            : throw new SecretException("A master key is 32 random bytes in base64; make one with: openssl rand -base64 32");
    }

    /// <summary>Reads the key of a data folder, from its file <c>master.key</c>, or makes it with mode 0600.</summary>
    /// <exception cref="SecretException">The file cannot be read or written, others may read it, or it has no key.</exception>
    public static MasterKey ReadOrCreate(string dataFolder)
    {
        var path = Path.Combine(dataFolder, "master.key");
        var text = SecretFile.ReadOrCreate(path, () => Convert.ToBase64String(RandomNumberGenerator.GetBytes(Size)));
        try
        {
            return Parse(text);
        }
        catch (SecretException e)
        {
            // A new key in its place would make everything sealed unreadable, so it is never replaced here.
            throw new SecretException($"There is no master key in {path}. Restore the file.", e);
        }
    }
}
