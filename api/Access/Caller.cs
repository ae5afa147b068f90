using System.Net;
using MoxApi.Api.Problems;
using MoxApi.OpenApi.Errors;

namespace MoxApi.Api.Access;

/// <summary>Who makes a request, as its key or login says.</summary>
/// <param name="AccountId">The account the caller acts for.</param>
/// <param name="Scopes">What the caller may do: of <see cref="MoxApi.OpenApi.Access.Scopes"/>.</param>
internal sealed record Caller(long AccountId, IReadOnlySet<string> Scopes)
{
    /// <summary>The key; absent for a login.</summary>
    public long? KeyId { get; init; }

    /// <summary>The domains the key may send from; absent where it may send as the account may.</summary>
    public IReadOnlyList<long>? DomainIds { get; init; }

    /// <summary>Whether what the caller sends is a test, which never leaves.</summary>
    public bool IsTest { get; init; }

    /// <summary>Whether the caller has an address and the account's password, and so is the account's owner: no key can become one.</summary>
    public bool IsLogin { get; init; }

    public bool IsAdmin => Has(MoxApi.OpenApi.Access.Scopes.Admin);

    /// <summary>The only account whose things the caller sees; absent for an admin, who sees those of all.</summary>
    public long? Within => IsAdmin ? null : AccountId;

    /// <summary>Keeps tests away from what the account's real mail goes by.</summary>
    /// <exception cref="RefusalException">The caller has a test key.</exception>
    public Caller RefuseTest() => IsTest
        ? throw new RefusalException(new Refusal(StatusCodes.Status403Forbidden, ErrorCodes.TestKey, "A test key changes nothing that the account's real mail goes by."))
        : this;

    /// <summary>Whether the caller may do what a scope allows. An admin may do everything.</summary>
    public bool Has(string scope) => Scopes.Contains(scope) || Scopes.Contains(MoxApi.OpenApi.Access.Scopes.Admin);
}

/// <summary>Looks credentials up. What has to be slow, or counted, for safety is done here.</summary>
internal interface ICredentials
{
    /// <summary>The caller with an API key; null where there is none.</summary>
    Task<Caller?> FindByKeyAsync(string key, CancellationToken cancellationToken);

    /// <summary>The caller with an address and its password; null where they do not belong together.</summary>
    /// <exception cref="RefusalException">Too many logins from the client's network failed.</exception>
    Task<Caller?> FindByPasswordAsync(string address, string password, IPAddress client, CancellationToken cancellationToken);
}
