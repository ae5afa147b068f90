using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Json;
using MoxApi.Api.Lists;
using MoxApi.Api.Messages.Searching;
using MoxApi.Api.Problems;
using MoxApi.Delivery.Composing;
using MoxApi.Delivery.Submitting;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Writing;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Messages;
using MoxApi.Webhooks.Events;
using StoredMessage = MoxApi.Migrations.Messages.Message;

namespace MoxApi.Api.Messages;

/// <summary>Messages as the database has them; sends go to the one <see cref="Submission"/>.</summary>
internal sealed partial class StoredMessages(
    Submission submission, IDbContextFactory<MailDbContext> contexts, MessageSearch search, MessageReader reader, MessageEvents events, PublicIds ids, TimeProvider time,
    ILogger<StoredMessages> logger) : IMessages
{
    /// <inheritdoc/>
    public async Task<SendMessageResponse> SendAsync(Caller caller, OutgoingMessage draft, string? idempotencyKey, CancellationToken cancellationToken)
    {
        try
        {
            var receipt = await submission.SubmitAsync(ToSubmission(caller, draft, idempotencyKey), cancellationToken);
            var id = ids.Make(PublicIdKind.Message, receipt.MessageId);
            if (!receipt.IsRepeated) Log.Accepted(logger, id, receipt.Recipients.Count);
            return new SendMessageResponse
            {
                Id = id,
                MessageId = receipt.MessageIdHeader,
                AcceptedAt = receipt.AcceptedAt,
                Recipients = [.. receipt.Recipients.Select(r => new AcceptedRecipient
                {
                    Id = ids.Make(PublicIdKind.Recipient, r.Id), Address = r.Address, Status = Wire.Of(r.Status),
                })],
            };
        }
        catch (SenderNotAllowedException fault)
        {
            throw new RefusalException(new Refusal(StatusCodes.Status403Forbidden, ErrorCodes.SenderNotAllowed, fault.Message));
        }
        catch (SenderStoppedException fault)
        {
            throw new RefusalException(new Refusal(StatusCodes.Status403Forbidden, fault.Stop switch
            {
                SenderStop.AccountSuspended => ErrorCodes.AccountSuspended,
                SenderStop.AccountPaused => ErrorCodes.AccountPaused,
                _ => ErrorCodes.DomainSuspended,
            }, fault.Message));
        }
        catch (IdempotencyMismatchException fault)
        {
            throw new RefusalException(new Refusal(StatusCodes.Status422UnprocessableEntity, ErrorCodes.IdempotencyMismatch, fault.Message));
        }
        catch (IdempotencyInProgressException fault)
        {
            throw new RefusalException(new Refusal(StatusCodes.Status409Conflict, ErrorCodes.IdempotencyInProgress, fault.Message) { RetryAfter = TimeSpan.FromSeconds(1) });
        }
        catch (DraftException fault)
        {
            throw new RefusalException(new Refusal(StatusCodes.Status422UnprocessableEntity, ErrorCodes.InvalidRequest, "The message cannot be composed.")
            {
                Errors = [.. fault.Faults.Select(f => new Fault { Pointer = f.Pointer, Code = FaultCodes.InvalidValue, Detail = f.Detail })],
            });
        }
    }

    /// <inheritdoc/>
    public async Task CheckSenderAsync(Caller caller, Mailbox? from, Faults faults, CancellationToken cancellationToken)
    {
        try
        {
            await submission.CheckSenderAsync(caller.AccountId, from, caller.DomainIds, cancellationToken);
        }
        catch (SenderNotAllowedException fault)
        {
            faults.Add("/from", FaultCodes.SenderNotAllowed, fault.Message);
        }
        catch (SenderStoppedException)
        {
            // That ends, and is no fault of the request.
        }
        catch (Exception fault) when (PassingFault.IsOutage(fault) || PassingFault.IsShortage(fault))
        {
            // The faults that are known can be told without PostgreSQL.
        }
    }

    /// <inheritdoc/>
    public async Task<Page<MessageSummary>> ListAsync(Caller caller, MessageFilter filter, PageRequest page, CancellationToken cancellationToken)
    {
        var found = await search.FindAsync(caller.AccountId, filter, page.From, page.Backward, page.Limit + 1, cancellationToken);
        var summaries = await SummariesAsync(found.Places, cancellationToken);
        var list = page.ToPage(found.Places.Where(place => summaries.ContainsKey(place.Id)).ToList(), place => place.ToCursor(TimedList.Messages, ids), place => summaries[place.Id])
            with
        { HasMore = found.Places.Count > page.Limit };
        if (found.End?.ToCursor(TimedList.Messages, ids) is { } end) list = page.Backward ? list with { HasMore = true, Previous = end } : list with { HasMore = true, Next = end };
        if (!filter.Count) return list;
        var (total, more) = await search.CountAsync(caller.AccountId, filter, cancellationToken);
        return list with { Total = total, TotalIsLowerBound = more ? true : null };
    }

    /// <inheritdoc/>
    public async Task<MessageDetail?> FindAsync(Caller caller, string id, CancellationToken cancellationToken)
    {
        if (!ids.TryRead(PublicIdKind.Message, id, out var stored)) return null;
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var message = await context.Messages.AsNoTracking().SingleOrDefaultAsync(m => m.Id == stored && m.AccountId == caller.AccountId, cancellationToken);
        if (message is null) return null;
        var recipients = await (
            from r in context.Recipients
            where r.MessageId == stored
            // The last by its number. To ask for the highest would become a window over all attempts there are.
            join a in context.Attempts on new { RecipientId = r.Id, Number = r.Attempts } equals new { a.RecipientId, a.Number } into attempts
            from last in attempts.DefaultIfEmpty()
            orderby r.Kind, r.Id
            select new { Row = r, Leased = context.Queue.Any(q => q.RecipientId == r.Id && q.SessionId != null), Last = last }).AsNoTracking().ToListAsync(cancellationToken);
        return Wire.Detail(message, recipients.Select(r => (r.Row, r.Leased, (Migrations.Messages.Attempt?)r.Last)), time.GetUtcNow(), ids);
    }

    /// <inheritdoc/>
    public async Task<Page<Event>?> EventsAsync(Caller caller, string id, PageRequest page, CancellationToken cancellationToken)
    {
        if (!ids.TryRead(PublicIdKind.Message, id, out var stored)) return null;
        var place = page.From is { } at ? new EventPosition(at.At, at.Id) : (EventPosition?)null;
        await using (var context = await contexts.CreateDbContextAsync(cancellationToken))
        {
            if (!await context.Messages.AnyAsync(m => m.Id == stored && m.AccountId == caller.AccountId, cancellationToken)) return null;
        }
        var found = await events.ReadAsync(caller.AccountId, stored, page.Backward ? null : place, page.Backward ? place : null, page.Limit + 1, cancellationToken);
        if (page.Backward) found.Reverse();
        return page.ToPage(found, e => new Place(e.Position.At, e.Position.Id).ToCursor(TimedList.Events, ids), e => e.Event);
    }

    /// <inheritdoc/>
    public async Task<Page<DeliveryAttempt>?> AttemptsAsync(Caller caller, string id, string recipientId, PageRequest page, CancellationToken cancellationToken)
    {
        if (!ids.TryRead(PublicIdKind.Message, id, out var message) || !ids.TryRead(PublicIdKind.Recipient, recipientId, out var recipient)) return null;
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        if (!await context.Recipients.AnyAsync(r => r.Id == recipient && r.MessageId == message && r.AccountId == caller.AccountId, cancellationToken)) return null;
        var attempts = context.Attempts.AsNoTracking().Where(a => a.RecipientId == recipient);
        // Their numbers are their order.
        if (page.From is { } at) attempts = page.Backward ? attempts.Where(a => a.Number > at.Id) : attempts.Where(a => a.Number < at.Id);
        var ordered = page.Backward ? attempts.OrderBy(a => a.Number) : attempts.OrderByDescending(a => a.Number);
        var found = await ordered.Take(page.Limit + 1).ToListAsync(cancellationToken);
        return page.ToPage(found, attempt => new Place(attempt.At, attempt.Number).ToCursor(TimedList.Attempts, ids), Wire.Of);
    }

    /// <inheritdoc/>
    public async Task<RawMessage?> RawAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        ids.TryRead(PublicIdKind.Message, id, out var stored) ? await reader.ReadAsync(caller.AccountId, stored, id, cancellationToken) : null;

    // Without the header's octets, which a list does not need.
    private async Task<Dictionary<long, MessageSummary>> SummariesAsync(IReadOnlyList<Place> places, CancellationToken cancel)
    {
        if (places.Count == 0) return [];
        var wanted = places.Select(place => place.Id).ToArray();
        await using var context = await contexts.CreateDbContextAsync(cancel);
        return await context.Messages.AsNoTracking().Where(m => wanted.Contains(m.Id)).Select(m => new StoredMessage
        {
            Id = m.Id,
            AccountId = m.AccountId,
            Direction = m.Direction,
            MessageIdHeader = m.MessageIdHeader,
            FromHeader = m.FromHeader,
            Subject = m.Subject,
            Size = m.Size,
            Tags = m.Tags,
            Metadata = m.Metadata,
            AcceptedAt = m.AcceptedAt,
            SendAt = m.SendAt,
            IsTest = m.IsTest,
            Header = Array.Empty<byte>(),
        }).ToDictionaryAsync(m => m.Id, m => Wire.Summary(m, ids), cancel);
    }

    private static SubmissionRequest ToSubmission(Caller caller, OutgoingMessage draft, string? idempotencyKey) => new()
    {
        AccountId = caller.AccountId,
        From = draft.From,
        Recipients = [.. draft.Recipients.Select(r => (Wire.Stored(r.Kind), r.Address))],
        Subject = draft.Subject ?? "",
        Tags = draft.Tags,
        Metadata = JsonSerializer.Serialize(draft.Metadata, StoredJson.Default.IReadOnlyDictionaryStringString),
        RequireTls = Enum.Parse<Migrations.Messages.RequireTls>(draft.RequireTls.ToString()),
        IsTest = caller.IsTest,
        Domains = caller.DomainIds,
        SendAt = draft.SendAt,
        ReturnPath = draft.ReturnPath switch { ReturnPath.Unique => ReturnPathMode.Unique, ReturnPath.Sender => ReturnPathMode.Sender, _ => null },
        Draft = draft.ToDraft,
        Idempotency = idempotencyKey is null ? null : new Idempotency(idempotencyKey, Fingerprint.Of(draft, caller.IsTest)),
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Accepted {Message} for {Count} recipients")]
        internal static partial void Accepted(ILogger logger, string message, int count);
    }
}
