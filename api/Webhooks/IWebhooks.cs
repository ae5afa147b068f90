using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary>An account's webhooks. Another account's are not found.</summary>
internal interface IWebhooks
{
    /// <summary>Makes a webhook of a request that is in order.</summary>
    Task<CreatedWebhook> CreateAsync(Caller caller, CreateWebhookRequest request, CancellationToken cancellationToken);

    Task<Page<Webhook>> ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken);

    Task<Webhook?> FindAsync(Caller caller, string id, CancellationToken cancellationToken);

    /// <summary>Removes a webhook and what is still to be posted to it; false where there is no such webhook.</summary>
    Task<bool> DeleteAsync(Caller caller, string id, CancellationToken cancellationToken);
}
