using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Keys;

/// <summary>A key to be made.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateApiKeyRequest
{
    /// <summary>What the key is for, 1 to 64 characters.</summary>
    /// <example>shop</example>
    public required string Name { get; init; }

    /// <summary>The account the key acts for. Left out, your own.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public string? AccountId { get; init; }

    /// <summary>What the key may do. Left out, all but <c>admin</c>.</summary>
    /// <example>["send", "read"]</example>
    public IReadOnlyList<ApiKeyScope>? Scopes { get; init; }

    /// <summary>The domains the key may send from: the account's own, or those of its addresses, at most 100. Left out, it may send as the account may.</summary>
    /// <example>["acme.example"]</example>
    public IReadOnlyList<string>? Domains { get; init; }

    /// <summary>Whether the key is for tests: what is sent with it is accepted and shown, and never leaves. It stays so.</summary>
    /// <example>false</example>
    public bool? Test { get; init; }

    /// <summary>From when on the key is refused. Left out, it does not expire.</summary>
    /// <example>2027-11-22T00:00:00Z</example>
    public DateTimeOffset? ExpiresAt { get; init; }
}

/// <summary>What is to change of a key. What is left out stays.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeApiKeyRequest
{
    /// <summary>What the key is for, 1 to 64 characters.</summary>
    /// <example>shop</example>
    public string? Name { get; init; }

    /// <summary>What the key may do.</summary>
    /// <example>["send", "read"]</example>
    public IReadOnlyList<ApiKeyScope>? Scopes { get; init; }

    /// <summary>The domains the key may send from: the account's own, or those of its addresses, at most 100.</summary>
    /// <example>["acme.example"]</example>
    public IReadOnlyList<string>? Domains { get; init; }

    /// <summary>From when on the key is refused.</summary>
    /// <example>2027-11-22T00:00:00Z</example>
    public DateTimeOffset? ExpiresAt { get; init; }

    /// <summary>Limits to lift: <c>domains</c>, <c>expiresAt</c>.</summary>
    /// <example>["expiresAt"]</example>
    public IReadOnlyList<string>? Reset { get; init; }
}
