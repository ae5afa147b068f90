using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Events;
using StoredDelivery = MoxApi.Migrations.Webhooks.WebhookDelivery;
using StoredStatus = MoxApi.Migrations.Webhooks.WebhookDeliveryStatus;

namespace MoxApi.Webhooks.Endpoints;

/// <summary>Which deliveries of a webhook are wanted; what is absent does not matter.</summary>
/// <param name="Status">What became of them.</param>
/// <param name="Type">The event's type.</param>
/// <param name="Since">Made at this time or later.</param>
/// <param name="Until">Made before this time.</param>
public sealed record DeliveryFilter(StoredStatus? Status, EventType? Type, DateTimeOffset? Since, DateTimeOffset? Until);

/// <summary>A delivery of a list, with the stored id that its place in the list is made of.</summary>
public sealed record PlacedDelivery(long Id, WebhookDelivery Delivery);

/// <summary>What a list found.</summary>
/// <param name="Deliveries">Newest first.</param>
/// <param name="End">How far it looked, where it gave up before the end of the list: the next one begins there.</param>
public sealed record FoundDeliveries(IReadOnlyList<PlacedDelivery> Deliveries, long? End);

/// <summary>Shows what was posted to an account's webhooks, and what they answered. Another account's are as if they were not there.</summary>
public sealed class WebhookDeliveries(IDbContextFactory<MailDbContext> contexts, MessageEvents events, PublicIds ids)
{
    /// <summary>
    /// How many deliveries are looked at for a page: some 50 ms. No index has what the filters ask for, and a webhook may have millions. So a page ends there, with
    /// fewer entries than asked for, and the next one goes on.
    /// </summary>
    internal int Candidates { get; init; } = 10_000;

    /// <summary>A webhook's deliveries, newest first.</summary>
    /// <param name="account">The owner.</param>
    /// <param name="webhook">The webhook.</param>
    /// <param name="filter">Which.</param>
    /// <param name="after">Start behind this one: older ones.</param>
    /// <param name="before">End ahead of this one: the nearest newer ones. Not together with <paramref name="after"/>.</param>
    /// <param name="limit">The most to return, from 1.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>Null where the account has no such webhook.</returns>
    public async Task<FoundDeliveries?> ListAsync(
        long account, long webhook, DeliveryFilter filter, long? after, long? before, int limit, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (!await context.WebhookEndpoints.AnyAsync(w => w.Id == webhook && w.AccountId == account, cancel)) return null;
        var mine = context.WebhookDeliveries.Where(d => d.EndpointId == webhook);
        if (after is not null) mine = mine.Where(d => d.Id < after);
        if (before is not null) mine = mine.Where(d => d.Id > before);
        // Asked first, so that what comes or goes meanwhile makes no gap.
        var end = await InOrder(mine, before).Skip(Candidates - 1).Select(d => (long?)d.Id).FirstOrDefaultAsync(cancel);
        if (end is not null) mine = before is null ? mine.Where(d => d.Id >= end) : mine.Where(d => d.Id <= end);
        var page = InOrder(Wanted(context, mine, filter), before).Take(limit);
        // Without what was said, which may be long.
        var rows = await With(context, page.Select(d => new StoredDelivery
        {
            Id = d.Id,
            EventId = d.EventId,
            Status = d.Status,
            Attempts = d.Attempts,
            CreatedAt = d.CreatedAt,
            LastAttemptAt = d.LastAttemptAt,
            DurationMs = d.DurationMs,
            ResponseStatus = d.ResponseStatus,
            Error = d.Error,
        })).ToListAsync(cancel);
        rows.Sort((one, other) => other.Delivery.Id.CompareTo(one.Delivery.Id));
        return new(rows.ConvertAll(r => new PlacedDelivery(r.Delivery.Id, Show(r))), rows.Count == limit ? null : end);
    }

    /// <summary>One delivery; null where the account's webhook has none of this id.</summary>
    public async Task<WebhookDelivery?> GetAsync(long account, long webhook, long id, CancellationToken cancel) =>
        await FindAsync(account, webhook, id, cancel) is { } row ? Show(row) : null;

    /// <summary>One delivery with what was said at its last attempt; null where the account's webhook has none of this id.</summary>
    public async Task<WebhookDeliveryDetail?> GetDetailAsync(long account, long webhook, long id, CancellationToken cancel)
    {
        if (await FindAsync(account, webhook, id, cancel) is not { } row) return null;
        return Show(row) with
        {
            Request = row.Delivery.RequestHeaders is not { } headers ? null : new()
            {
                Headers = SaidWords.Headers(headers),
                Body = await events.BodyAsync(row.Delivery.EventId, cancel),
            },
            Response = row.Delivery.ResponseStatus is null ? null : SaidWords.Response(row.Delivery),
        };
    }

    private async Task<Row?> FindAsync(long account, long webhook, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var mine = context.WebhookDeliveries.Where(d => d.Id == id && d.EndpointId == webhook && context.WebhookEndpoints.Any(w => w.Id == webhook && w.AccountId == account));
        return await With(context, mine).SingleOrDefaultAsync(cancel);
    }

    private static IOrderedQueryable<StoredDelivery> InOrder(IQueryable<StoredDelivery> deliveries, long? before) =>
        before is null ? deliveries.OrderByDescending(d => d.Id) : deliveries.OrderBy(d => d.Id);

    private static IQueryable<StoredDelivery> Wanted(MailDbContext context, IQueryable<StoredDelivery> wanted, DeliveryFilter filter)
    {
        if (filter.Status is { } status) wanted = wanted.Where(d => d.Status == status);
        // Looked up for each candidate. Where it asks whether there is such an event, PostgreSQL turns it around and reads all events of the type: for a rare one, the table.
        if (filter.Type is { } type) wanted = wanted.Where(d => context.Events.Where(e => e.Id == d.EventId).Select(e => e.Type).FirstOrDefault() == type);
        if (filter.Since is { } since) wanted = wanted.Where(d => d.CreatedAt >= since);
        return filter.Until is { } until ? wanted.Where(d => d.CreatedAt < until) : wanted;
    }

    private static IQueryable<Row> With(MailDbContext context, IQueryable<StoredDelivery> deliveries) =>
        from d in deliveries.AsNoTracking()
        join e in context.Events on d.EventId equals e.Id into happened
        from e in happened.DefaultIfEmpty()
        join q in context.WebhookQueue on d.Id equals q.DeliveryId into queued
        from q in queued.DefaultIfEmpty()
        select new Row(d, (EventType?)e.Type, (DateTimeOffset?)q.DueAt);

    // As a detail, of which a list shows what it has in common with it.
    private WebhookDeliveryDetail Show(Row row) => new()
    {
        Id = ids.Make(PublicIdKind.WebhookDelivery, row.Delivery.Id),
        EventId = ids.Make(PublicIdKind.Event, row.Delivery.EventId),
        Type = row.Type is { } type ? Stored.ToWire(type) : null,
        Status = Enum.Parse<WebhookDeliveryStatus>(row.Delivery.Status.ToString()),
        Attempts = row.Delivery.Attempts,
        CreatedAt = row.Delivery.CreatedAt,
        LastAttemptAt = row.Delivery.LastAttemptAt,
        NextAttemptAt = row.DueAt,
        DurationMs = row.Delivery.DurationMs,
        ResponseStatus = row.Delivery.ResponseStatus,
        Error = row.Delivery.Error,
    };

    private sealed record Row(StoredDelivery Delivery, EventType? Type, DateTimeOffset? DueAt);
}
