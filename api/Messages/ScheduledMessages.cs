using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Messages.Rules;
using MoxApi.Api.Problems;
using MoxApi.Migrations;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.OpenApi.Errors;
using StoredMessage = MoxApi.Migrations.Messages.Message;

namespace MoxApi.Api.Messages;

/// <summary>What the queue still has of an account's messages, and what can be changed there.</summary>
internal sealed class ScheduledMessages(IDbContextFactory<MailDbContext> contexts, RecipientChanges changes, PublicIds ids, TimeProvider time) : IScheduledMessages
{
    /// <inheritdoc/>
    public async Task<bool> CancelAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        if (await FindAsync(context, caller, id, cancellationToken) is not { } message) return false;
        await ApplyAsync(context, message, RecipientChange.Cancel, null, "Nothing of the message is left to be canceled: it is finished, or being delivered just now.", cancellationToken);
        return true;
    }

    /// <inheritdoc/>
    public async Task<bool> RescheduleAsync(Caller caller, string id, DateTimeOffset sendAt, CancellationToken cancellationToken)
    {
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        if (await FindAsync(context, caller, id, cancellationToken) is not { } message) return false;
        // Others' signatures do not last longer than they may be in the queue.
        if (message.SendAt is null) throw new RefusalException(NotCancelable("The message was sent without sendAt, so it cannot be put off."));
        var faults = new Faults();
        ScheduleRules.Check(sendAt, message.AcceptedAt, faults);
        faults.ThrowIfAny();
        var (now, asked) = (time.GetUtcNow(), sendAt.ToUniversalTime());
        await ApplyAsync(
            context, message, RecipientChange.Reschedule, asked > now ? asked : now, "Nothing of the message is left to be rescheduled: it was tried, or is being delivered just now.",
            cancellationToken);
        // For show alone: the queue goes by its own rows.
        await context.Messages.Where(m => m.Id == message.Id).ExecuteUpdateAsync(set => set.SetProperty(m => m.SendAt, asked), CancellationToken.None);
        return true;
    }

    private async Task<StoredMessage?> FindAsync(MailDbContext context, Caller caller, string id, CancellationToken cancellationToken) =>
        ids.TryRead(PublicIdKind.Message, id, out var stored)
            && await context.Messages.AsNoTracking().SingleOrDefaultAsync(m => m.Id == stored && m.AccountId == caller.AccountId && m.IsTest == caller.IsTest, cancellationToken) is { } message
            && (caller.DomainIds is not { } domains || (message.DomainId is { } domain && domains.Contains(domain)))
            ? message
            : null;

    private async Task ApplyAsync(
        MailDbContext context, StoredMessage message, RecipientChange change, DateTimeOffset? dueAt, string otherwise, CancellationToken cancellationToken)
    {
        var recipients = await context.Recipients.Where(r => r.MessageId == message.Id).Select(r => r.Id).ToListAsync(cancellationToken);
        if ((await changes.ApplyAsync(recipients, change, null, dueAt, cancellationToken)).Count == 0) throw new RefusalException(NotCancelable(otherwise));
    }

    private static Refusal NotCancelable(string title) => new(StatusCodes.Status409Conflict, ErrorCodes.NotCancelable, title);
}
