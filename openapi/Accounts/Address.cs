using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Accounts;

/// <summary>An address that receives mail for an account, and that the account may send from.</summary>
public sealed record Address
{
    /// <summary>The address's id in this API.</summary>
    /// <example>adr_eekbi2pmt76ifo5eq4fbfmibem</example>
    public required string Id { get; init; }

    /// <summary>The address, without a name.</summary>
    /// <example>receipts@acme.example</example>
    [JsonPropertyName("address")]
    public required string Text { get; init; }

    /// <summary>The display name of sends that name no From; absent where there is none.</summary>
    /// <example>Acme, Inc.</example>
    public string? DisplayName { get; init; }

    /// <summary>When the address was added.</summary>
    /// <example>2026-11-22T10:00:00.123Z</example>
    public required DateTimeOffset CreatedAt { get; init; }
}

/// <summary>An address to be added to an account.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record AddAddressRequest
{
    /// <summary>An address without a name, in a domain of this installation. Upper and lower case are the same in its local part.</summary>
    /// <example>receipts@acme.example</example>
    public required string Address { get; init; }

    /// <summary>The display name of sends that name no From, at most 128 characters.</summary>
    /// <example>Acme, Inc.</example>
    public string? DisplayName { get; init; }
}

/// <summary>What is to change of an address.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record ChangeAddressRequest
{
    /// <summary>The display name of sends that name no From, at most 128 characters; empty for none.</summary>
    /// <example>Acme Receipts</example>
    public required string DisplayName { get; init; }
}
