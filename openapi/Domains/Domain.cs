namespace MoxApi.OpenApi.Domains;

/// <summary>A domain that mail is sent from and received for.</summary>
public record Domain
{
    /// <summary>The domain's id in this API.</summary>
    /// <example>dom_ren5lz355wlkk46b446fnb5nde</example>
    public required string Id { get; init; }

    /// <summary>The account that may send from every address of the domain.</summary>
    /// <example>acc_5rlv63vnmsjcb7xihvzt5awiau</example>
    public required string AccountId { get; init; }

    /// <summary>The domain's name, with U-labels.</summary>
    /// <example>acme.example</example>
    public required string Name { get; init; }

    /// <summary>Where unique return paths live, with U-labels.</summary>
    /// <example>bounces.acme.example</example>
    public required string ReturnPathDomain { get; init; }

    /// <summary>Whether the domain may be sent from.</summary>
    public required DomainStatus Status { get; init; }

    /// <summary>When an admin suspended it; absent while it is not suspended.</summary>
    /// <example>2026-11-23T10:00:00.123Z</example>
    public DateTimeOffset? SuspendedAt { get; init; }

    /// <summary>When the domain was made.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>A domain with what is to be published in DNS for it.</summary>
public sealed record DomainDetail : Domain
{
    /// <summary>The records to publish.</summary>
    public required IReadOnlyList<DnsRecord> Records { get; init; }

    /// <summary>The keys that sign for the domain, newest first.</summary>
    public required IReadOnlyList<DkimKey> DkimKeys { get; init; }
}

/// <summary>Whether a domain may be sent from. While it is <c>suspended</c>, sends from it are refused and what is queued from it is held.</summary>
public enum DomainStatus
{
    Active,
    Suspended,
}

/// <summary>A DNS record.</summary>
public sealed record DnsRecord
{
    /// <summary>The owner name, without a dot at its end.</summary>
    /// <example>mox202611e._domainkey.acme.example</example>
    public required string Name { get; init; }

    /// <summary>The record's type.</summary>
    /// <example>TXT</example>
    public required string Type { get; init; }

    /// <summary>The record's contents; a TXT record's as one text without quotes.</summary>
    /// <example>v=DKIM1; k=ed25519; p=11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=</example>
    public required string Value { get; init; }
}
