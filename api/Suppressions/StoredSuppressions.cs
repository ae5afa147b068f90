using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Suppressions;
using MoxApi.Webhooks.Events;
using FailureClass = MoxApi.Migrations.Messages.FailureClass;
using StoredReason = MoxApi.Migrations.Messages.SuppressionReason;
using StoredSuppression = MoxApi.Migrations.Messages.Suppression;

namespace MoxApi.Api.Suppressions;

/// <summary>The suppression list as the database has it.</summary>
internal sealed class StoredSuppressions(IDbContextFactory<MailDbContext> contexts, PublicIds ids, TimeProvider time) : ISuppressions
{
    /// <inheritdoc/>
    public async Task<Page<Suppression>> ListAsync(Caller caller, SuppressionReason? reason, PageRequest page, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var mine = InForce(context, caller);
        if (reason is { } wanted) mine = mine.Where(s => s.Reason == Enum.Parse<StoredReason>(wanted.ToString()));
        if (page.From is { } at)
        {
            mine = page.Backward
                ? mine.Where(s => EF.Functions.GreaterThan(ValueTuple.Create(s.CreatedAt, s.Id), ValueTuple.Create(at.At, at.Id)))
                : mine.Where(s => EF.Functions.LessThan(ValueTuple.Create(s.CreatedAt, s.Id), ValueTuple.Create(at.At, at.Id)));
        }

        var ordered = page.Backward ? mine.OrderBy(s => s.CreatedAt).ThenBy(s => s.Id) : mine.OrderByDescending(s => s.CreatedAt).ThenByDescending(s => s.Id);
        var found = await ordered.Take(page.Limit + 1).ToListAsync(cancellationToken);
        return page.ToPage(found, s => new Place(s.CreatedAt, s.Id).ToCursor(TimedList.Suppressions, ids), Show);
    }

    /// <inheritdoc/>
    public async Task<Suppression> AddAsync(Caller caller, MailAddress address, string? detail, DateTimeOffset? expiresAt, CancellationToken cancellationToken)
    {
        var (key, written, now) = (BaseAddress.Of(address), address.ToString(), time.GetUtcNow());
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        // Two that add the same address at once are both right: the later note stands. What is answered is what was written, whoever removes it meanwhile.
        var added = await context.Suppressions.FromSql($"""
            INSERT INTO suppression (account_id, base_address, address, reason, failure_class, detail, created_at, expires_at)
            VALUES ({caller.AccountId}, {key}, {written}, {(short)StoredReason.Manual}, {(short)FailureClass.None}, {detail}, {now}, {expiresAt})
            ON CONFLICT (account_id, base_address) DO UPDATE SET address = excluded.address, reason = excluded.reason, failure_class = excluded.failure_class,
              detail = excluded.detail, recipient_id = NULL, created_at = excluded.created_at, expires_at = excluded.expires_at
            RETURNING *
            """).AsNoTracking().ToListAsync(cancellationToken);
        return Show(added.Single());
    }

    /// <inheritdoc/>
    public async Task<Suppression?> FindAsync(Caller caller, MailAddress address, CancellationToken cancellationToken)
    {
        var key = BaseAddress.Of(address);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await InForce(context, caller).SingleOrDefaultAsync(s => s.BaseAddress == key, cancellationToken) is { } found ? Show(found) : null;
    }

    /// <inheritdoc/>
    public async Task<bool> RemoveAsync(Caller caller, MailAddress address, CancellationToken cancellationToken)
    {
        var key = BaseAddress.Of(address);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        return await context.Suppressions.Where(s => s.AccountId == caller.AccountId && s.BaseAddress == key).ExecuteDeleteAsync(cancellationToken) > 0;
    }

    private IQueryable<StoredSuppression> InForce(MailDbContext context, Caller caller)
    {
        var now = time.GetUtcNow();
        return context.Suppressions.AsNoTracking().Where(s => s.AccountId == caller.AccountId && (s.ExpiresAt == null || s.ExpiresAt > now));
    }

    private Suppression Show(StoredSuppression row) => new()
    {
        Id = ids.Make(PublicIdKind.Suppression, row.Id),
        Address = row.Address,
        BaseAddress = row.BaseAddress,
        Reason = Enum.Parse<SuppressionReason>(row.Reason.ToString()),
        FailureClass = row.FailureClass == FailureClass.None ? null : Stored.ToWire(row.FailureClass),
        Detail = row.Detail,
        RecipientId = row.RecipientId is { } recipient ? ids.Make(PublicIdKind.Recipient, recipient) : null,
        CreatedAt = row.CreatedAt,
        ExpiresAt = row.ExpiresAt,
    };
}
