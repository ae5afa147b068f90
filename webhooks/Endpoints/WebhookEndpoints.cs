using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Events;
using MoxApi.Webhooks.Signing;

namespace MoxApi.Webhooks.Endpoints;

/// <summary>A webhook of a list, with the stored id that its place in the list is made of.</summary>
public sealed record PlacedWebhook(long Id, Webhook Webhook);

/// <summary>
/// Makes, shows, changes and deletes an account's webhooks. Another account's are as if they were not there; where the account may be absent, an absent one means
/// those of all, for admins. Requests are in order: what they may say is the API's to check.
/// </summary>
public sealed class WebhookEndpoints(IDbContextFactory<MailDbContext> contexts, PublicIds ids, SecretBox secrets, NodeSession session, TimeProvider time)
{
    /// <summary>The most webhooks of an account: each event is posted to every one that wants it.</summary>
    public const int MostPerAccount = 100;

    private const string DisabledByOwner = "It was disabled through the API.";

    // Deliveries that are dropped with their webhook go in pieces, so that no transaction is long.
    private const int BatchSize = 1000;

    /// <summary>Makes a webhook and its secret, which is stored sealed and never shown again.</summary>
    /// <returns>The webhook; null where the account has <see cref="MostPerAccount"/> already.</returns>
    public async Task<CreatedWebhook?> CreateAsync(long account, CreateWebhookRequest request, CancellationToken cancel)
    {
        var secret = WebhookSecret.Create();
        var sealId = Guid.NewGuid();
        var row = new WebhookEndpoint
        {
            AccountId = account,
            Url = Absolute(request.Url),
            Events = ToStored(request.Events ?? []),
            Description = request.Description,
            SealId = sealId,
            SealedSecret = secrets.Seal(secret.Key, WebhookEndpoint.SealContextOf(sealId)),
            AllowPrivate = request.AllowPrivate is true,
            CreatedAt = time.GetUtcNow(),
        };
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        if (!await context.HoldAccountAsync(account, cancel)) throw new DbUpdateConcurrencyException("The account was deleted.");
        if (await context.WebhookEndpoints.CountAsync(w => w.AccountId == account, cancel) >= MostPerAccount) return null;
        context.Add(row);
        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        var shown = Show(row);
        return new()
        {
            Id = shown.Id,
            Url = shown.Url,
            Events = shown.Events,
            Description = shown.Description,
            Format = shown.Format,
            AllowPrivate = shown.AllowPrivate,
            CreatedAt = shown.CreatedAt,
            Secret = secret.Reveal(),
        };
    }

    /// <summary>An account's webhooks, newest first.</summary>
    /// <param name="account">The owner.</param>
    /// <param name="after">Start behind this one: older ones.</param>
    /// <param name="before">End ahead of this one: the nearest newer ones. Not together with <paramref name="after"/>.</param>
    /// <param name="limit">The most to return, from 1.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<List<PlacedWebhook>> ListAsync(long account, long? after, long? before, int limit, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var mine = context.WebhookEndpoints.AsNoTracking().Where(w => w.AccountId == account);
        if (after is not null) mine = mine.Where(w => w.Id < after);
        if (before is not null) mine = mine.Where(w => w.Id > before);
        var rows = await (before is null ? mine.OrderByDescending(w => w.Id) : mine.OrderBy(w => w.Id)).Take(limit).ToListAsync(cancel);
        if (before is not null) rows.Reverse();
        return rows.ConvertAll(w => new PlacedWebhook(w.Id, Show(w)));
    }

    /// <summary>One webhook; null where the account has none of this id.</summary>
    public async Task<Webhook?> GetAsync(long? within, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var row = await In(context, within).AsNoTracking().SingleOrDefaultAsync(w => w.Id == id, cancel);
        return row is null ? null : Show(row);
    }

    /// <summary>Changes what the request names. A webhook that moves or is enabled starts afresh: without a pause, and not known to fail.</summary>
    /// <param name="within">The owner; null: whoever it is.</param>
    /// <param name="id">Which.</param>
    /// <param name="request">The change.</param>
    /// <param name="seen">As it was when the request was allowed, since who may move it depends on where it is, and whether it may be private there; null: however it is.</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The webhook as it is now; null where the account has none of this id, or it is not as it was seen.</returns>
    public async Task<Webhook?> UpdateAsync(long? within, long id, UpdateWebhookRequest request, Webhook? seen, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        await using var transaction = await context.Database.BeginTransactionAsync(cancel);
        await context.Database.ExecuteSqlAsync($"SELECT 1 FROM webhook_endpoint WHERE id = {id} FOR NO KEY UPDATE", cancel);
        var row = await In(context, within).SingleOrDefaultAsync(w => w.Id == id, cancel);
        if (row is null || (seen is not null && (row.AllowPrivate != seen.AllowPrivate || Show(row).Url != seen.Url))) return null;
        if (request.Events is { } events) row.Events = ToStored(events);
        if (request.Description is { } description) row.Description = description.Length == 0 ? null : description;
        row.AllowPrivate = request.AllowPrivate ?? row.AllowPrivate;
        if (request.Disabled is true && row.DisabledAt is null) (row.DisabledAt, row.DisabledReason) = (time.GetUtcNow(), DisabledByOwner);
        if (request.Disabled is false) (row.DisabledAt, row.DisabledReason) = (null, null);
        var moved = request.Url is not null && Absolute(request.Url) != row.Url;
        if (moved) row.Url = Absolute(request.Url!);
        if (moved || request.Disabled is false) (row.PausedUntil, row.FailingSince) = (null, null);
        await context.SaveChangesAsync(cancel);
        await transaction.CommitAsync(cancel);
        session.Wake(Roles.Webhooks);
        return Show(row);
    }

    /// <summary>
    /// Gives a webhook a new secret, and keeps the one before it for a while, in which both sign. What was before that one ends at once.
    /// </summary>
    /// <returns>The new secret, which is not shown again; null where the account has no webhook of this id.</returns>
    public async Task<RotatedWebhookSecret?> RotateSecretAsync(long account, long id, TimeSpan overlap, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var mine = context.WebhookEndpoints.Where(w => w.Id == id && w.AccountId == account);
        if (await mine.Select(w => (Guid?)w.SealId).SingleOrDefaultAsync(cancel) is not { } sealId) return null;
        var secret = WebhookSecret.Create();
        var sealedSecret = secrets.Seal(secret.Key, WebhookEndpoint.SealContextOf(sealId));
        var keep = overlap > TimeSpan.Zero;
        DateTimeOffset? until = keep ? time.GetUtcNow() + overlap : null;
        // One statement: of two rotations at once the second keeps the first one's secret, and both answers are true.
        var rotated = await mine.ExecuteUpdateAsync(set => set
            .SetProperty(w => w.SealedPreviousSecret, w => keep ? w.SealedSecret : null)
            .SetProperty(w => w.PreviousSecretUntil, until)
            .SetProperty(w => w.SealedSecret, sealedSecret), cancel);
        return rotated == 0 ? null : new() { Secret = secret.Reveal(), PreviousSecretUntil = until };
    }

    /// <summary>
    /// Deletes a webhook, and with it the deliveries that were not made yet: nothing more is posted to it, but for calls that are under way. What was made is
    /// history, which nobody can read any more, and goes when its time has come.
    /// </summary>
    /// <returns>False where the account has none of this id.</returns>
    public async Task<bool> DeleteAsync(long? within, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await In(context, within).Where(w => w.Id == id).ExecuteDeleteAsync(cancel) == 0) return false;
        // After the endpoint: no event can queue for it any more. What is left over after a crash here is ended by whoever posts.
        int deleted;
        do
        {
            deleted = await Deadlock.RetryAsync(
                stop => context.Database.ExecuteSqlAsync($"""
                    WITH queued AS MATERIALIZED (
                      SELECT delivery_id FROM webhook_queue WHERE delivery_id IN (SELECT delivery_id FROM webhook_queue WHERE endpoint_id = {id} LIMIT {BatchSize})
                      ORDER BY delivery_id FOR UPDATE),
                    made AS MATERIALIZED (SELECT d.id FROM webhook_delivery d JOIN queued ON queued.delivery_id = d.id ORDER BY d.id FOR UPDATE OF d),
                    q AS (DELETE FROM webhook_queue q USING queued WHERE q.delivery_id = queued.delivery_id)
                    DELETE FROM webhook_delivery d USING made WHERE d.id = made.id
                    """, stop), cancel);
        }
        while (deleted > 0);
        return true;
    }

    // The webhooks of one account, or those of all.
    private static IQueryable<WebhookEndpoint> In(MailDbContext context, long? within) => context.WebhookEndpoints.Where(w => within == null || w.AccountId == within);

    private static Migrations.Messages.EventType[] ToStored(IReadOnlyList<OpenApi.Events.EventType> events) => [.. events.Distinct().Select(Stored.ToStored)];

    private static string Absolute(string url) => new Uri(url).AbsoluteUri;

    private Webhook Show(WebhookEndpoint row)
    {
        var now = time.GetUtcNow();
        return new()
        {
            Id = ids.Make(PublicIdKind.WebhookEndpoint, row.Id),
            Url = row.Url,
            Events = [.. row.Events.Select(Stored.ToWire)],
            Description = row.Description,
            Format = WebhookFormat.V1,
            AllowPrivate = row.AllowPrivate,
            CreatedAt = row.CreatedAt,
            DisabledAt = row.DisabledAt,
            DisabledReason = row.DisabledReason,
            FailingSince = row.FailingSince,
            PausedUntil = row.PausedUntil > now ? row.PausedUntil : null,
            PreviousSecretUntil = row.PreviousSecretUntil > now ? row.PreviousSecretUntil : null,
        };
    }
}
