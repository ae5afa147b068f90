using System.Buffers.Binary;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace MoxApi.Migrations.Identifiers;

/// <summary>The things that have public ids, by prefix.</summary>
public enum PublicIdKind
{
    /// <summary><c>acc_</c></summary>
    Account,

    /// <summary><c>msg_</c></summary>
    Message,

    /// <summary><c>rcp_</c></summary>
    Recipient,

    /// <summary><c>evt_</c></summary>
    Event,

    /// <summary><c>whk_</c></summary>
    WebhookEndpoint,

    /// <summary><c>whd_</c></summary>
    WebhookDelivery,

    /// <summary><c>dom_</c></summary>
    Domain,

    /// <summary><c>key_</c></summary>
    ApiKey,

    /// <summary>The local part of a unique return path: no prefix.</summary>
    ReturnPath,

    /// <summary><c>adr_</c></summary>
    Address,

    /// <summary><c>sup_</c></summary>
    Suppression,
}

/// <summary>The lists that are ordered by time, whose cursors are none of each other's.</summary>
public enum TimedList
{
    /// <summary>What an account sent.</summary>
    Messages,

    /// <summary>The events of a message.</summary>
    Events,

    /// <summary>The attempts for a recipient.</summary>
    Attempts,

    /// <summary>What arrived for an account.</summary>
    Received,

    /// <summary>An account's suppressed addresses.</summary>
    Suppressions,
}

/// <summary>
/// Public ids: a prefix and 26 characters of base32, made of the stored integer by encrypting it, with its kind, as one AES block. So they
/// cost no column and no index, cannot be guessed or counted, and an id of one kind is none of another. The key belongs to the
/// installation and is stored with it: it guards no secret, but ids must outlive a change of the master key.
/// </summary>
public sealed class PublicIds : IDisposable
{
    private const string Alphabet = "abcdefghijklmnopqrstuvwxyz234567";
    private static readonly string[] Prefixes = ["acc_", "msg_", "rcp_", "evt_", "whk_", "whd_", "dom_", "key_", "", "adr_", "sup_"];

    // Two centuries, which take 56 bits and leave 8 for the list.
    private const int TimeBits = 56;
    private static readonly DateTimeOffset FirstTime = new(2000, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private static readonly DateTimeOffset LastTime = new(2200, 1, 1, 0, 0, 0, TimeSpan.Zero);

    private readonly ThreadLocal<Aes> ciphers;

    /// <param name="key">16 bytes.</param>
    public PublicIds(byte[] key)
    {
        ciphers = new ThreadLocal<Aes>(() =>
        {
            var aes = Aes.Create();
            aes.Key = key;
            return aes;
        });
    }

    /// <summary>The public id of a stored one.</summary>
    public string Make(PublicIdKind kind, long id)
    {
        Span<byte> block = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(block, id);
        block[15] = (byte)(kind + 1);
        ciphers.Value!.EncryptEcb(block, block, PaddingMode.None);
        return Prefixes[(int)kind] + ToBase32(block);
    }

    /// <summary>The stored id of a public one; false for ids of another kind, of another installation, or made up.</summary>
    public bool TryRead(PublicIdKind kind, [NotNullWhen(true)] string? text, out long id)
    {
        id = 0;
        var prefix = Prefixes[(int)kind];
        Span<byte> block = stackalloc byte[16];
        if (text is null || text.Length != prefix.Length + 26 || !text.StartsWith(prefix, StringComparison.Ordinal)) return false;
        if (!TryFromBase32(text.AsSpan(prefix.Length), block)) return false;
        ciphers.Value!.DecryptEcb(block, block, PaddingMode.None);
        // 56 known bits: a made-up id is taken for a real one once in 2^56.
        if (block[8..15].ContainsAnyExcept((byte)0) || block[15] != (byte)(kind + 1)) return false;
        id = BinaryPrimitives.ReadInt64BigEndian(block);
        return id > 0;
    }

    /// <summary>A cursor of a list that is ordered by time and id: opaque, because ids are nobody's business.</summary>
    /// <param name="list">The list, which alone takes it.</param>
    /// <param name="at">From 2000 to 2200.</param>
    /// <param name="id">What decides between equal times.</param>
    public string MakeCursor(TimedList list, DateTimeOffset at, long id)
    {
        Span<byte> block = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(block, ((long)(list + 1) << TimeBits) + at.UtcTicks - FirstTime.UtcTicks);
        BinaryPrimitives.WriteInt64BigEndian(block[8..], id);
        ciphers.Value!.EncryptEcb(block, block, PaddingMode.None);
        return ToBase32(block);
    }

    /// <summary>The place that a cursor names; false for what is none of the list's.</summary>
    public bool TryReadCursor(TimedList list, string text, out DateTimeOffset at, out long id)
    {
        (at, id) = (default, 0);
        Span<byte> block = stackalloc byte[16];
        if (text.Length != 26 || !TryFromBase32(text, block)) return false;
        ciphers.Value!.DecryptEcb(block, block, PaddingMode.None);
        // What was made up is rarely of this list and within these years.
        var ticks = BinaryPrimitives.ReadInt64BigEndian(block) - ((long)(list + 1) << TimeBits);
        if (ticks < 0 || ticks > (LastTime - FirstTime).Ticks) return false;
        at = FirstTime.AddTicks(ticks);
        id = BinaryPrimitives.ReadInt64BigEndian(block[8..]);
        return id > 0;
    }

    /// <inheritdoc/>
    public void Dispose() => ciphers.Dispose();

    private static string ToBase32(ReadOnlySpan<byte> block)
    {
        var bits = BinaryPrimitives.ReadUInt128BigEndian(block);
        Span<char> text = stackalloc char[26];
        for (var i = 25; i >= 0; i--, bits >>= 5) text[i] = Alphabet[(int)(bits & 31)];
        return new string(text);
    }

    private static bool TryFromBase32(ReadOnlySpan<char> text, Span<byte> block)
    {
        UInt128 bits = 0;
        foreach (var c in text)
        {
            // Upper case is taken too: some servers change the case of a return path's local part.
            var value = Alphabet.IndexOf(char.IsAsciiLetterUpper(c) ? (char)(c | 0x20) : c, StringComparison.Ordinal);
            if (value < 0 || bits >> 123 != 0) return false;
            bits = (bits << 5) | (UInt128)value;
        }
        BinaryPrimitives.WriteUInt128BigEndian(block, bits);
        return true;
    }
}
