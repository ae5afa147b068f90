using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Webhooks;

namespace MoxApi.Api.Webhooks;

/// <summary>An account's webhooks. Another account's are not found, but that an admin reads, changes and deletes those of all by their ids. Requests are in order when they come here.</summary>
internal interface IWebhooks
{
    Task<CreatedWebhook> CreateAsync(Caller caller, CreateWebhookRequest request, CancellationToken cancellationToken);

    Task<Page<Webhook>> ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken);

    Task<Webhook?> FindAsync(Caller caller, string id, CancellationToken cancellationToken);

    /// <summary>Changes it; null where there is none, or where it may be called at another place than it was <paramref name="seen"/> at.</summary>
    Task<Webhook?> UpdateAsync(Caller caller, string id, UpdateWebhookRequest request, Webhook? seen, CancellationToken cancellationToken);

    /// <summary>Removes a webhook and what is still to be posted to it; false where there is no such webhook.</summary>
    Task<bool> DeleteAsync(Caller caller, string id, CancellationToken cancellationToken);

    /// <summary>Makes a new secret, beside which the present one signs for a while.</summary>
    Task<RotatedWebhookSecret?> RotateSecretAsync(Caller caller, string id, TimeSpan overlap, CancellationToken cancellationToken);

    /// <summary>Queues a test for this webhook alone.</summary>
    Task<WebhookDelivery?> TestAsync(Caller caller, string id, CancellationToken cancellationToken);
}

/// <summary>What was posted to an account's webhooks. Another account's is not found.</summary>
internal interface IWebhookDeliveries
{
    Task<Page<WebhookDelivery>?> ListAsync(Caller caller, string webhook, DeliveryFilters filters, PageRequest page, CancellationToken cancellationToken);

    Task<WebhookDeliveryDetail?> FindAsync(Caller caller, string webhook, string id, CancellationToken cancellationToken);

    /// <summary>Queues a delivery again.</summary>
    /// <exception cref="Problems.RefusalException">The webhook is disabled.</exception>
    Task<WebhookDelivery?> ReplayAsync(Caller caller, string webhook, string id, CancellationToken cancellationToken);

    /// <summary>Queues again what failed since a time.</summary>
    /// <exception cref="Problems.RefusalException">The webhook is disabled.</exception>
    Task<ReplayedWebhook?> ReplayFailedAsync(Caller caller, string webhook, DateTimeOffset since, CancellationToken cancellationToken);
}
