using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Suppressions;
using MoxApi.Mail.Addresses;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Suppressions;

namespace MoxApi.Tests.Api.Suppressions;

/// <summary>A suppression list without a database.</summary>
internal sealed class SuppressionsInMemory : ISuppressions
{
    private readonly Dictionary<string, Suppression> entries = [];

    public Task<Page<Suppression>> ListAsync(Caller caller, SuppressionReason? reason, PageRequest page, CancellationToken cancellationToken) =>
        Task.FromResult(page.ToPage([.. entries.Values.Where(e => reason is null || e.Reason == reason)], e => e.Id, e => e));

    public Task<Suppression> AddAsync(Caller caller, MailAddress address, string? detail, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var key = BaseAddress.Of(address);
        return Task.FromResult(entries[key] = new()
        {
            Id = $"sup_{entries.Count + 1}",
            Address = address.ToString(),
            BaseAddress = key,
            Reason = SuppressionReason.Manual,
            Detail = detail,
            CreatedAt = AccountInMemory.Time,
            ExpiresAt = expiresAt,
        });
    }

    public Task<Suppression?> FindAsync(Caller caller, MailAddress address, CancellationToken cancellationToken) =>
        Task.FromResult(entries.GetValueOrDefault(BaseAddress.Of(address)));

    public Task<bool> RemoveAsync(Caller caller, MailAddress address, CancellationToken cancellationToken) => Task.FromResult(entries.Remove(BaseAddress.Of(address)));
}
