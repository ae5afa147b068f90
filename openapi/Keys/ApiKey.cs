namespace MoxApi.OpenApi.Keys;

/// <summary>A key of this API, without the key itself, which is not stored.</summary>
public record ApiKey
{
    /// <summary>The key's id in this API.</summary>
    /// <example>key_qtyntxkb2jhilrow2rege4n334</example>
    public required string Id { get; init; }

    /// <summary>The account the key acts for.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public required string AccountId { get; init; }

    /// <summary>What the key is for.</summary>
    /// <example>shop</example>
    public required string Name { get; init; }

    /// <summary>The key's first characters, to tell keys apart.</summary>
    /// <example>mox_9f2kQw7Z</example>
    public required string Prefix { get; init; }

    /// <summary>What the key may do.</summary>
    /// <example>["send", "read"]</example>
    public required IReadOnlyList<ApiKeyScope> Scopes { get; init; }

    /// <summary>The domains the key may send from; absent where it may send as its account may.</summary>
    /// <example>["acme.example"]</example>
    public IReadOnlyList<string>? Domains { get; init; }

    /// <summary>Whether the key is for tests: what is sent with it is accepted and shown, and never leaves.</summary>
    /// <example>false</example>
    public required bool Test { get; init; }

    /// <summary>From when on the key is refused; absent where it does not expire.</summary>
    /// <example>2027-11-22T00:00:00.000Z</example>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>When the key was last used, to within a few minutes; absent where it never was.</summary>
    /// <example>2026-11-23T09:55:00.000Z</example>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>When the key was made.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A key that was just made.</summary>
public sealed record CreatedApiKey : ApiKey
{
    /// <summary>The key: what goes behind <c>Authorization: Bearer</c>. It is shown this once.</summary>
    /// <example>mox_9f2kQw7ZbT4xJm1sVn8cLp3dRg6hYa0eUo5iKf2tXqM</example>
    public required string Key { get; init; }
}

/// <summary>What a key may do: send messages; read messages, domains and the account; change webhooks; change the suppression list; or everything, in the whole installation.</summary>
public enum ApiKeyScope
{
    Send,
    Read,
    Webhooks,
    Suppressions,
    Admin,
}
