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
    private const int BatchSize = 1000;

    // An answer has up to 1,000 addresses.
    private const int AnswersAtOnce = 100;

    private static readonly RecipientStatus[] Unfinished = [RecipientStatus.Queued, RecipientStatus.Scheduled, RecipientStatus.Held, RecipientStatus.Delayed];

    /// <summary>
    /// Cancels what is on its way to the address, then erases it, in this order: what is on its way cannot be erased. Answers come before messages, by which
    /// they are found.
    /// </summary>
    public async Task<Erasure> EraseAsync(long account, MailAddress address, bool keepSuppression, CancellationToken cancel)
    {
        var key = BaseAddress.Of(address);
        var canceled = await CancelAsync(account, key, cancel);
        var answers = await ReplaceInAnswersAsync(account, key, cancel);
        var erased = await RecipientErasure.EraseAsync(database, account, key, time.GetUtcNow(), cancel);
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

    private async Task<int> CancelAsync(long account, string key, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var total = 0;
        for (var (at, id) = (DateTimeOffset.UnixEpoch, 0L); ;)
        {
            // In the order of the index over addresses.
            var page = await context.Recipients.Where(r => r.AccountId == account && r.BaseAddress == key && Unfinished.Contains(r.Status))
                .Where(r => EF.Functions.GreaterThan(ValueTuple.Create(r.AcceptedAt, r.Id), ValueTuple.Create(at, id)))
                .OrderBy(r => r.AcceptedAt).ThenBy(r => r.Id).Take(BatchSize).Select(r => new { r.AcceptedAt, r.Id }).ToListAsync(cancel);
            if (page.Count == 0) return total;
            total += (await changes.ApplyAsync(page.Select(r => r.Id), RecipientChange.Cancel, null, null, cancel)).Count;
            (at, id) = (page[^1].AcceptedAt, page[^1].Id);
        }
    }

    // The answer to a repeated request must stay, or it would be sent again; only the address in it goes. It has the time of its message. One that is no longer given
    // may be there until the next hour.
    private async Task<int> ReplaceInAnswersAsync(long account, string key, CancellationToken cancel)
    {
        await using var context = await contexts.CreateDbContextAsync(cancel);
        var since = time.GetUtcNow() - (2 * IdempotentAnswer.Life);
        var times = await context.Recipients.Where(r => r.AccountId == account && r.BaseAddress == key && r.AcceptedAt >= since).Select(r => r.AcceptedAt).Distinct().ToListAsync(cancel);
        var total = 0;
        foreach (var some in times.Chunk(AnswersAtOnce))
        {
            var found = await context.IdempotentAnswers.Where(i => i.AccountId == account && some.Contains(i.CreatedAt)).Select(i => new { i.Key, i.CreatedAt }).ToListAsync(cancel);
            foreach (var row in found)
            {
                if (await ReplaceInAnswerAsync(context.IdempotentAnswers.Where(i => i.AccountId == account && i.Key == row.Key && i.CreatedAt == row.CreatedAt), key, cancel)) total++;
            }
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
}
