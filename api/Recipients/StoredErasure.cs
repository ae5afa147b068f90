using System.Linq.Expressions;
using System.Runtime.CompilerServices;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Messages;
using Npgsql;
using Erasure = MoxApi.OpenApi.Recipients.RecipientErasure;

namespace MoxApi.Api.Recipients;

/// <summary>Erases what an account has stored of a recipient. Each step is harmless when it is done again, so a request that was cut short is repeated.</summary>
internal sealed class StoredErasure(NpgsqlDataSource database, IDbContextFactory<MailDbContext> contexts, RecipientChanges changes, TimeProvider time)
{
    private const int CanceledAtOnce = 1000;
    private const int ErasedAtOnce = 200;

    private static readonly RecipientStatus[] Unfinished = [RecipientStatus.Queued, RecipientStatus.Scheduled, RecipientStatus.Held, RecipientStatus.Delayed];

    /// <summary>Cancels what is on its way to the address, then erases it, in this order: what is on its way cannot be erased.</summary>
    public async Task<Erasure> EraseAsync(long account, MailAddress address, bool keepSuppression, CancellationToken cancel)
    {
        var key = BaseAddress.Of(address);
        var canceled = 0;
        await foreach (var page in PagesAsync(r => r.AccountId == account && r.BaseAddress == key && Unfinished.Contains(r.Status), CanceledAtOnce, cancel))
            canceled += (await changes.ApplyAsync(page.Select(r => r.Id), RecipientChange.Cancel, null, null, cancel)).Count;
        var (erased, answers) = (new ErasedMessages(), 0);
        await foreach (var page in PagesAsync(r => r.AccountId == account && r.BaseAddress == key, ErasedAtOnce, cancel))
        {
            // Answers first, and of these recipients alone: an answer is found by what is erased.
            answers += await ReplaceInAnswersAsync(account, page.Select(r => r.AcceptedAt), key, cancel);
            erased = erased.Plus(await RecipientErasure.EraseAsync(database, page.Select(r => r.Id), key, time.GetUtcNow(), cancel));
        }
        return new Erasure
        {
            Canceled = canceled,
            Recipients = erased.Recipients,
            Messages = erased.Messages,
            WebhookDeliveries = erased.WebhookDeliveries,
            IdempotentAnswers = answers,
            Suppressions = await ForgetSuppressionAsync(account, key, keepSuppression, cancel),
            Unfinished = erased.Unfinished,
        };
    }

    // In the order of the index over addresses. A page is looked for when the one before is done with.
    private async IAsyncEnumerable<List<Place>> PagesAsync(Expression<Func<Recipient, bool>> which, int size, [EnumeratorCancellation] CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var last = new Place(DateTimeOffset.UnixEpoch, 0);
        while (true)
        {
            var page = await context.Recipients.Where(which)
                .Where(r => EF.Functions.GreaterThan(ValueTuple.Create(r.AcceptedAt, r.Id), ValueTuple.Create(last.AcceptedAt, last.Id)))
                .OrderBy(r => r.AcceptedAt).ThenBy(r => r.Id).Take(size).Select(r => new Place(r.AcceptedAt, r.Id)).ToListAsync(cancel);
            if (page.Count == 0) yield break;
            yield return page;
            last = page[^1];
        }
    }

    // The answer to a repeated request must stay, or it would be sent again; only the address in it goes. It has the time of its message. One that is no longer given
    // may be there until the next hour.
    private async Task<int> ReplaceInAnswersAsync(long account, IEnumerable<DateTimeOffset> accepted, string key, CancellationToken cancel)
    {
        var since = time.GetUtcNow() - (2 * IdempotentAnswer.Life);
        var times = accepted.Where(at => at >= since).Distinct().ToArray();
        if (times.Length == 0) return 0;
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var found = await context.IdempotentAnswers.Where(i => i.AccountId == account && times.Contains(i.CreatedAt)).Select(i => new { i.Key, i.CreatedAt }).ToListAsync(cancel);
        var total = 0;
        foreach (var row in found)
        {
            if (await ReplaceInAnswerAsync(context.IdempotentAnswers.Where(i => i.AccountId == account && i.Key == row.Key && i.CreatedAt == row.CreatedAt), key, cancel)) total++;
        }
        return total;
    }

    // Where the answer is not what was read any more, it is read anew: another erasure may have replaced another address in it. A key that was taken over has another time.
    private static async Task<bool> ReplaceInAnswerAsync(IQueryable<IdempotentAnswer> one, string key, CancellationToken cancel)
    {
        while (await one.Select(i => i.Answer).SingleOrDefaultAsync(cancel) is { } read)
        {
            var answer = JsonNode.Parse(read)!;
            if (!Replace(answer, key)) return false;
            var replaced = answer.ToJsonString();
            if (await one.Where(i => i.Answer == read).ExecuteUpdateAsync(set => set.SetProperty(i => i.Answer, replaced), cancel) > 0) return true;
        }
        return false;
    }

    private static bool Replace(JsonNode node, string key)
    {
        var any = false;
        var children = node switch
        {
            JsonObject map => map.Select(member => member.Value).ToList(),
            JsonArray list => [.. list],
            _ => [],
        };
        foreach (var child in children.OfType<JsonNode>())
        {
            if (child is JsonValue value && value.TryGetValue(out string? text) && MailAddress.TryParse(text, out var address, out _) && BaseAddress.Of(address) == key)
            {
                child.ReplaceWith(RecipientErasure.Placeholder);
                any = true;
            }
            else
            {
                any |= Replace(child, key);
            }
        }
        return any;
    }

    private async Task<int> ForgetSuppressionAsync(long account, string key, bool keep, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var rows = context.Suppressions.Where(s => s.AccountId == account && s.BaseAddress == key);
        if (!keep) return await rows.ExecuteDeleteAsync(cancel);
        await rows.ExecuteUpdateAsync(
            set => set.SetProperty(s => s.Address, s => s.BaseAddress).SetProperty(s => s.Detail, (string?)null).SetProperty(s => s.RecipientId, (long?)null), cancel);
        return 0;
    }

    private sealed record Place(DateTimeOffset AcceptedAt, long Id);
}
