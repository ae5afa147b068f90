using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Domains;

/// <summary>A domain to be made.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateDomainRequest
{
    /// <summary>The domain's name.</summary>
    /// <example>acme.example</example>
    public required string Name { get; init; }

    /// <summary>The account that may send from every address of the domain. Left out, that of the key.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public string? AccountId { get; init; }

    /// <summary>Where unique return paths live. Left out, <c>bounces.</c> below the domain.</summary>
    /// <example>bounces.acme.example</example>
    public string? ReturnPathDomain { get; init; }
}

/// <summary>What is to change of a domain.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeDomainRequest
{
    /// <summary>
    /// Where the unique return paths of new messages live. Those of messages accepted before stay where they are: keep the old records published
    /// while bounces of theirs may come.
    /// </summary>
    /// <example>bounces.acme.example</example>
    public required string ReturnPathDomain { get; init; }
}

/// <summary>New keys for a domain.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateDkimKeysRequest
{
    /// <summary>When the new keys take the place of the active ones, at most a year ahead. Left out, when you say so.</summary>
    /// <example>2026-12-24T00:00:00Z</example>
    public DateTimeOffset? ActivateAt { get; init; }
}

/// <summary>A domain's keys.</summary>
public sealed record DkimKeyList
{
    /// <summary>The keys, newest first.</summary>
    public required IReadOnlyList<DkimKey> Data { get; init; }
}
