using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Suppressions;

namespace MoxApi.Api.Suppressions;

/// <summary>An account's suppression list. Another account's is not found.</summary>
internal interface ISuppressions
{
    /// <summary>Entries that have not expired, newest first.</summary>
    Task<Page<Suppression>> ListAsync(Caller caller, SuppressionReason? reason, PageRequest page, CancellationToken cancellationToken);

    /// <summary>Adds an address; one that is there already gets the new note and expiry.</summary>
    Task<Suppression> AddAsync(Caller caller, MailAddress address, string? detail, DateTimeOffset? expiresAt, CancellationToken cancellationToken);

    /// <summary>The entry for an address in any spelling; null where there is none, or it has expired.</summary>
    Task<Suppression?> FindAsync(Caller caller, MailAddress address, CancellationToken cancellationToken);

    /// <summary>Removes the entry for an address in any spelling; false where there is none.</summary>
    Task<bool> RemoveAsync(Caller caller, MailAddress address, CancellationToken cancellationToken);
}
