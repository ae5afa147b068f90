using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Endpoints;
using MoxApi.Webhooks.Events;
using StoredStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;

namespace MoxApi.Api.Webhooks;

/// <summary>What was posted to an account's webhooks, as the room of webhooks keeps it.</summary>
internal sealed class StoredDeliveries(WebhookDeliveries deliveries, WebhookReplays replays, PublicIds ids) : IWebhookDeliveries
{
    /// <inheritdoc/>
    public async Task<Page<WebhookDelivery>?> ListAsync(Caller caller, string webhook, DeliveryFilters filters, PageRequest page, CancellationToken cancellationToken)
    {
        if (!ids.TryRead(PublicIdKind.WebhookEndpoint, webhook, out var endpoint)) return null;
        var place = page.From?.Id;
        var found = await deliveries.ListAsync(
            caller.AccountId, endpoint, ToStored(filters), page.Backward ? null : place, page.Backward ? place : null, page.Limit + 1, cancellationToken);
        if (found is null) return null;
        var list = page.ToPage(page.Backward ? [.. found.Deliveries.Reverse()] : found.Deliveries, d => d.Delivery.Id, d => d.Delivery);
        if (found.End is not { } end) return list;
        var cursor = ids.Make(PublicIdKind.WebhookDelivery, end);
        return page.Backward ? list with { HasMore = true, Previous = cursor } : list with { HasMore = true, Next = cursor };
    }

    /// <inheritdoc/>
    public async Task<WebhookDeliveryDetail?> FindAsync(Caller caller, string webhook, string id, CancellationToken cancellationToken) =>
        TryRead(webhook, id, out var endpoint, out var delivery) ? await deliveries.GetDetailAsync(caller.AccountId, endpoint, delivery, cancellationToken) : null;

    /// <inheritdoc/>
    public async Task<WebhookDelivery?> ReplayAsync(Caller caller, string webhook, string id, CancellationToken cancellationToken)
    {
        if (!TryRead(webhook, id, out var endpoint, out var delivery)) return null;
        return IsQueued(await replays.ReplayAsync(caller.AccountId, endpoint, delivery, cancellationToken))
            ? await deliveries.GetAsync(caller.AccountId, endpoint, delivery, cancellationToken)
            : null;
    }

    /// <inheritdoc/>
    public async Task<ReplayedWebhook?> ReplayFailedAsync(Caller caller, string webhook, DateTimeOffset since, CancellationToken cancellationToken)
    {
        if (!ids.TryRead(PublicIdKind.WebhookEndpoint, webhook, out var endpoint)) return null;
        var (result, count) = await replays.ReplayFailedAsync(caller.AccountId, endpoint, since.ToUniversalTime(), cancellationToken);
        return IsQueued(result) ? new() { Count = count } : null;
    }

    private static bool IsQueued(ReplayResult result) => result == ReplayResult.Disabled
        ? throw new RefusalException(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.WebhookDisabled, "The webhook is disabled. Enable it first: PATCH it with {\"disabled\": false}."))
        : result == ReplayResult.Queued;

    private static DeliveryFilter ToStored(DeliveryFilters filters) => new(
        filters.Status is { } status ? Enum.Parse<StoredStatus>(status.ToString()) : null,
        filters.Type is { } type ? Stored.ToStored(type) : null,
        filters.Since,
        filters.Until);

    private bool TryRead(string webhook, string id, out long endpoint, out long delivery)
    {
        delivery = 0;
        return ids.TryRead(PublicIdKind.WebhookEndpoint, webhook, out endpoint) && ids.TryRead(PublicIdKind.WebhookDelivery, id, out delivery);
    }
}
