using System.Text.Json;
using Microsoft.EntityFrameworkCore;
using MoxApi.Api.Access;
using MoxApi.Api.Lists;
using MoxApi.Api.Problems;
using MoxApi.Delivery.Composing;
using MoxApi.Delivery.Submitting;
using MoxApi.Migrations;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi.Errors;
using MoxApi.OpenApi.Events;
using MoxApi.OpenApi.Lists;
using MoxApi.OpenApi.Messages;
using MoxApi.Webhooks.Events;
using Npgsql;
using StoredMessage = MoxApi.Migrations.Messages.Message;
using StoredMessageDirection = MoxApi.Migrations.Messages.MessageDirection;

namespace MoxApi.Api.Messages;

/// <summary>Messages as the database has them; sends go to the one <see cref="Submission"/>.</summary>
internal sealed partial class StoredMessages(
    Submission submission, IDbContextFactory<MailDbContext> contexts, MessageReader reader, MessageEvents events, PublicIds ids,
    ILogger<StoredMessages> logger) : IMessages
{
    /// <inheritdoc/>
    public async Task<SendMessageResponse> SendAsync(Caller caller, OutgoingMessage draft, string? idempotencyKey, CancellationToken cancellationToken)
    {
        try
        {
            var receipt = await submission.SubmitAsync(ToSubmission(caller, draft, idempotencyKey), cancellationToken);
            var id = ids.Make(PublicIdKind.Message, receipt.MessageId);
            Log.Accepted(logger, id, receipt.Recipients.Count);
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
        catch (NpgsqlException fault) when (fault is not PostgresException || fault.IsTransient)
        {
            throw new RefusalException(Refusal.Unavailable);
        }
    }

    /// <inheritdoc/>
    public async Task<Page<MessageSummary>> ListAsync(Caller caller, PageRequest page, CancellationToken cancellationToken)
    {
        var place = Place.Of(page, ids);
        await using var context = await contexts.CreateDbContextAsync(cancellationToken);
        var mine = context.Messages.AsNoTracking().Where(m => m.AccountId == caller.AccountId && m.Direction == StoredMessageDirection.Outgoing);
        if (place is { } at)
        {
            mine = page.Backward
                ? mine.Where(m => EF.Functions.GreaterThan(ValueTuple.Create(m.AcceptedAt, m.Id), ValueTuple.Create(at.At, at.Id)))
                : mine.Where(m => EF.Functions.LessThan(ValueTuple.Create(m.AcceptedAt, m.Id), ValueTuple.Create(at.At, at.Id)));
        }
        var ordered = page.Backward
            ? mine.OrderBy(m => m.AcceptedAt).ThenBy(m => m.Id)
            : mine.OrderByDescending(m => m.AcceptedAt).ThenByDescending(m => m.Id);
        // The header and its octets are not needed for a list.
        var found = await ordered.Take(page.Limit + 1).Select(m => new StoredMessage
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
            Header = Array.Empty<byte>(),
        }).ToListAsync(cancellationToken);
        return page.ToPage(found, m => new Place(m.AcceptedAt, m.Id).ToCursor(ids), m => Wire.Summary(m, ids));
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
            orderby r.Kind, r.Id
            select new
            {
                Row = r,
                Leased = context.Queue.Any(q => q.RecipientId == r.Id && q.SessionId != null),
                Last = context.Attempts.Where(a => a.RecipientId == r.Id).OrderByDescending(a => a.Number).FirstOrDefault(),
            }).AsNoTracking().ToListAsync(cancellationToken);
        return Wire.Detail(message, recipients.Select(r => (r.Row, r.Leased, (Migrations.Messages.Attempt?)r.Last)), ids);
    }

    /// <inheritdoc/>
    public async Task<Page<Event>?> EventsAsync(Caller caller, string id, PageRequest page, CancellationToken cancellationToken)
    {
        if (!ids.TryRead(PublicIdKind.Message, id, out var stored)) return null;
        var place = Place.Of(page, ids) is { } at ? new EventPosition(at.At, at.Id) : (EventPosition?)null;
        await using (var context = await contexts.CreateDbContextAsync(cancellationToken))
        {
            if (!await context.Messages.AnyAsync(m => m.Id == stored && m.AccountId == caller.AccountId, cancellationToken)) return null;
        }
        var found = await events.ReadAsync(caller.AccountId, stored, page.Backward ? null : place, page.Backward ? place : null, page.Limit + 1, cancellationToken);
        if (page.Backward) found.Reverse();
        return page.ToPage(found, e => new Place(e.Position.At, e.Position.Id).ToCursor(ids), e => e.Event);
    }

    /// <inheritdoc/>
    public async Task<RawMessage?> RawAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        ids.TryRead(PublicIdKind.Message, id, out var stored) ? await reader.ReadAsync(caller.AccountId, stored, id, cancellationToken) : null;

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
        ReturnPath = draft.ReturnPath switch { ReturnPath.Unique => ReturnPathMode.Unique, ReturnPath.Sender => ReturnPathMode.Sender, _ => null },
        Draft = draft.ToDraft,
        Idempotency = idempotencyKey is null ? null : new Idempotency(idempotencyKey, Fingerprint.Of(draft)),
    };

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Accepted {Message} for {Count} recipients")]
        internal static partial void Accepted(ILogger logger, string message, int count);
    }
}
