namespace MoxApi.OpenApi.Domains;

/// <summary>A key that signs a domain's messages (RFC 6376). Its private part is never shown.</summary>
public sealed record DkimKey
{
    /// <summary>The key's name, unique within the domain.</summary>
    /// <example>mox202611e</example>
    public required string Selector { get; init; }

    /// <summary>The kind of key.</summary>
    public required DkimKeyAlgorithm Algorithm { get; init; }

    /// <summary>What the key is for at present.</summary>
    public required DkimKeyStatus Status { get; init; }

    /// <summary>When the key takes the place of the active one; absent where nobody set a time.</summary>
    /// <example>2026-12-24T00:00:00.000Z</example>
    public DateTimeOffset? ActivatesAt { get; init; }

    /// <summary>When the key ceased to be active; absent where it did not.</summary>
    /// <example>2026-11-24T10:00:00.123Z</example>
    public DateTimeOffset? RetiredAt { get; init; }

    /// <summary>Until when a message that the key signed may be on its way; absent where it signed none.</summary>
    /// <example>2026-11-27T11:00:00.000Z</example>
    public DateTimeOffset? NeededUntil { get; init; }

    /// <summary>The record that receivers verify with; to be published unless the key is <c>removable</c>.</summary>
    public required DnsRecord Record { get; init; }

    /// <summary>When the key was made.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>The kind of a key: RSA of 2,048 bits, which every receiver verifies, or Ed25519 (RFC 8463).</summary>
public enum DkimKeyAlgorithm
{
    Rsa,
    Ed25519,
}

/// <summary>
/// What a key is for: <c>next</c> keys are to be published and sign nothing yet; <c>active</c> keys sign; a <c>retired</c> key's record stays
/// published until nothing unsent needs it; then the key is <c>removable</c>.
/// </summary>
public enum DkimKeyStatus
{
    Next,
    Active,
    Retired,
    Removable,
}
