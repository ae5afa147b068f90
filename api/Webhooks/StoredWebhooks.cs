using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Endpoints;
using Endpoints = MoxApi.Webhooks.Endpoints.WebhookEndpoints;

namespace MoxApi.Api.Webhooks;

/// <summary>An account's webhooks, as the room of webhooks keeps them.</summary>
internal sealed class StoredWebhooks(Endpoints endpoints, WebhookDeliveries deliveries, WebhookReplays replays, PublicIds ids) : IWebhooks
{
    /// <inheritdoc/>
    public async Task<CreatedWebhook> CreateAsync(Caller caller, CreateWebhookRequest request, CancellationToken cancellationToken) =>
        await endpoints.CreateAsync(caller.AccountId, request, cancellationToken)
            ?? throw new RefusalException(new Refusal(StatusCodes.Status422UnprocessableEntity, ErrorCodes.InvalidRequest, $"An account has at most {Endpoints.MostPerAccount} webhooks."));

    /// <inheritdoc/>
    public async Task<Page<Webhook>> ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken)
    {
        var place = page.From?.Id;
        var found = await endpoints.ListAsync(caller.AccountId, page.Backward ? null : place, page.Backward ? place : null, page.Limit + 1, cancellationToken);
        if (page.Backward) found.Reverse();
        return page.ToPage(found, w => w.Webhook.Id, w => w.Webhook);
    }

    /// <inheritdoc/>
    public async Task<Webhook?> FindAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        IsWebhook(id, out var stored) ? await endpoints.GetAsync(caller.Within, stored, cancellationToken) : null;

    /// <inheritdoc/>
    public async Task<Webhook?> UpdateAsync(Caller caller, string id, UpdateWebhookRequest request, Webhook? seen, CancellationToken cancellationToken) =>
        IsWebhook(id, out var stored) ? await endpoints.UpdateAsync(caller.Within, stored, request, seen, cancellationToken) : null;

    /// <inheritdoc/>
    public async Task<bool> DeleteAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        IsWebhook(id, out var stored) && await endpoints.DeleteAsync(caller.Within, stored, cancellationToken);

    /// <inheritdoc/>
    public async Task<RotatedWebhookSecret?> RotateSecretAsync(Caller caller, string id, TimeSpan overlap, CancellationToken cancellationToken) =>
        IsWebhook(id, out var stored) ? await endpoints.RotateSecretAsync(caller.AccountId, stored, overlap, cancellationToken) : null;

    /// <inheritdoc/>
    public async Task<WebhookDelivery?> TestAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        IsWebhook(id, out var stored) && await replays.TestAsync(caller.AccountId, stored, cancellationToken) is { } delivery
            ? await deliveries.GetAsync(caller.AccountId, stored, delivery, cancellationToken)
            : null;

    private bool IsWebhook(string id, out long stored) => ids.TryRead(PublicIdKind.WebhookEndpoint, id, out stored);
}
