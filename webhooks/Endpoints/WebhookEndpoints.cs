using System.Text;
using Microsoft.EntityFrameworkCore;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Webhooks;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Webhooks;
using MoxApi.Webhooks.Events;
using MoxApi.Webhooks.Signing;

namespace MoxApi.Webhooks.Endpoints;

/// <summary>A webhook of a list, with the stored id that its place in the list is made of.</summary>
public sealed record PlacedWebhook(long Id, Webhook Webhook);

/// <summary>Makes, shows and deletes an account's webhooks. Another account's are as if they were not there.</summary>
/// <param name="contexts">The database.</param>
/// <param name="ids">Makes the public ids.</param>
/// <param name="secrets">Seals the signing secrets.</param>
/// <param name="allowHttp">Whether any endpoint may be without TLS, as in the local sandbox; otherwise only those with <c>allowPrivate</c>.</param>
/// <param name="time">The clock.</param>
public sealed class WebhookEndpoints(IDbContextFactory<MailDbContext> contexts, PublicIds ids, SecretBox secrets, bool allowHttp, TimeProvider time)
{
    /// <summary>The most webhooks of an account: each event is posted to every one that wants it.</summary>
    public const int MostPerAccount = 100;

    /// <summary>The most characters of a description.</summary>
    public const int MaxDescription = 256;

    /// <summary>Everything that is wrong with a request; empty where nothing is. Whether the caller may set <c>allowPrivate</c> is not asked here.</summary>
    public IReadOnlyList<Fault> FaultsOf(CreateWebhookRequest request)
    {
        var faults = new List<Fault>();
        if (EndpointUrl.Read(request.Url, allowHttp || request.AllowPrivate is true, out _) is { } wrong)
            faults.Add(new() { Pointer = "/url", Code = request.Url.Length > EndpointUrl.MaxLength ? FaultCodes.TooLong : FaultCodes.InvalidUrl, Detail = wrong });
        if (request.Description is { Length: > MaxDescription })
            faults.Add(new() { Pointer = "/description", Code = FaultCodes.TooLong, Detail = $"A description has at most {MaxDescription} characters." });
        // PostgreSQL takes no NUL, and a half of a surrogate pair is no text.
        if (request.Description is { } text && text.EnumerateRunes().Any(r => r == Rune.ReplacementChar || Rune.IsControl(r)))
            faults.Add(new() { Pointer = "/description", Code = FaultCodes.InvalidCharacter, Detail = "A description has no control characters." });
        return faults;
    }

    /// <summary>Makes a webhook and its secret, which is stored sealed and never shown again.</summary>
    /// <param name="account">The owner.</param>
    /// <param name="request">A request without faults (<see cref="FaultsOf"/>).</param>
    /// <param name="cancel">Gives up.</param>
    /// <returns>The webhook; null where the account has <see cref="MostPerAccount"/> already.</returns>
    public async Task<CreatedWebhook?> CreateAsync(long account, CreateWebhookRequest request, CancellationToken cancel)
    {
        if (EndpointUrl.Read(request.Url, allowHttp || request.AllowPrivate is true, out var url) is { } wrong) throw new ArgumentException(wrong, nameof(request));
        var secret = WebhookSecret.Create();
        var sealId = Guid.NewGuid();
        var row = new WebhookEndpoint
        {
            AccountId = account,
            Url = url!.AbsoluteUri,
            Events = request.Events is null ? [] : [.. request.Events.Distinct().Select(Stored.ToStored)],
            Description = request.Description,
            SealId = sealId,
            SealedSecret = secrets.Seal(secret.Key, WebhookEndpoint.SealContextOf(sealId)),
            AllowPrivate = request.AllowPrivate is true,
            CreatedAt = time.GetUtcNow(),
        };
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await context.WebhookEndpoints.CountAsync(w => w.AccountId == account, cancel) >= MostPerAccount) return null;
        context.Add(row);
        await context.SaveChangesAsync(cancel);
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
    public async Task<Webhook?> GetAsync(long account, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var row = await context.WebhookEndpoints.AsNoTracking().SingleOrDefaultAsync(w => w.Id == id && w.AccountId == account, cancel);
        return row is null ? null : Show(row);
    }

    /// <summary>
    /// Deletes a webhook, and with it the deliveries that were not made yet: nothing more is posted to it, but for calls that are under way.
    /// </summary>
    /// <returns>False where the account has none of this id.</returns>
    public async Task<bool> DeleteAsync(long account, long id, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        if (await context.WebhookEndpoints.Where(w => w.Id == id && w.AccountId == account).ExecuteDeleteAsync(cancel) == 0) return false;
        // After the endpoint: no event can queue for it any more. What is left over after a crash here ends unposted when it is due.
        await context.Database.ExecuteSqlAsync($"""
            WITH q AS (DELETE FROM webhook_queue WHERE endpoint_id = {id} RETURNING delivery_id)
            DELETE FROM webhook_delivery d USING q WHERE d.id = q.delivery_id
            """, cancel);
        return true;
    }

    private Webhook Show(WebhookEndpoint row) => new()
    {
        Id = ids.Make(PublicIdKind.WebhookEndpoint, row.Id),
        Url = row.Url,
        Events = [.. row.Events.Select(Stored.ToWire)],
        Description = row.Description,
        Format = WebhookFormat.V1,
        AllowPrivate = row.AllowPrivate,
        CreatedAt = row.CreatedAt,
        DisabledAt = row.DisabledAt,
    };
}
