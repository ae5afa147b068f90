using System.Text.Json.Serialization;

namespace MoxApi.OpenApi.Accounts;

/// <summary>An account to be made. What is left out is as the installation has it.</summary>
[JsonUnmappedMemberHandling(JsonUnmappedMemberHandling.Disallow)]
public sealed record CreateAccountRequest : AccountSettings
{
    /// <summary>The account's name, unique in the installation, of 1 to 64 characters.</summary>
    /// <example>acme</example>
    public required string Name { get; init; }
}
