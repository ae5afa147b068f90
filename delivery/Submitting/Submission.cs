using System.Text.Json;
using System.Text.Json.Serialization;
using MoxApi.Delivery.Composing;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Accounts;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery.Submitting;

/// <summary>
/// The one way out for a message, whoever hands it in: find the sender, compose, sign, commit, hand over. When this returns, the message is
/// committed; when it throws, it is not, unless PostgreSQL went away in between (then an idempotency key tells).
/// </summary>
public sealed class Submission
{
    /// <summary>How long after its acceptance a message may be sent, also when it is given another time.</summary>
    public static readonly TimeSpan MaxDelay = TimeSpan.FromDays(60);

    /// <summary>How long after its end in the queue a message's signatures hold at least, for servers that verify late. Then it is not sent any more.</summary>
    internal static readonly TimeSpan LateVerification = TimeSpan.FromDays(1);

    private readonly Senders senders;
    private readonly MessageComposer composer;
    private readonly IdBlocks ids;
    private readonly Lanes lanes;
    private readonly AcceptCommits commits;
    private readonly Handover handover;
    private readonly BytesInFlight inFlight;
    private readonly SubmissionMetrics metrics;
    private readonly TimeProvider time;

    internal Submission(
        Senders senders, MessageComposer composer, IdBlocks ids, Lanes lanes, AcceptCommits commits, Handover handover, BytesInFlight inFlight, SubmissionMetrics metrics,
        TimeProvider time)
    {
        (this.inFlight, this.metrics) = (inFlight, metrics);
        (this.senders, this.composer, this.ids, this.lanes) = (senders, composer, ids, lanes);
        (this.commits, this.handover, this.time) = (commits, handover, time);
    }

    /// <summary>Sends a message.</summary>
    /// <exception cref="SenderNotAllowedException">The account may not send as the author.</exception>
    /// <exception cref="SenderStoppedException">The account, or the domain, may not send for now.</exception>
    /// <exception cref="IdempotencyMismatchException">The key was used for something else.</exception>
    /// <exception cref="IdempotencyInProgressException">A send with the key is being committed.</exception>
    /// <exception cref="DraftException">The message cannot be composed.</exception>
    /// <exception cref="NoRoomException">Too much is in flight, or the disk is full.</exception>
    /// <exception cref="NpgsqlException">PostgreSQL cannot be reached.</exception>
    public async Task<SubmissionReceipt> SubmitAsync(SubmissionRequest request, CancellationToken cancel)
    {
        if (request.Idempotency is not null && await FindAsync(request, time.GetUtcNow(), cancel) is { } known) return known;
        var sender = await senders.FindAsync(request.AccountId, request.From, request.Domains, cancel);
        var now = Milliseconds(time.GetUtcNow());
        var release = request.SendAt is { } later && later > now ? later : now;
        var expires = release + sender.QueueLife;
        var draft = request.Draft(sender.From);
        await using var spool = new BodySpool(inFlight.Open(), draft.LikelyBodySize);
        var composed = await composer.ComposeAsync(draft, spool, cancel);
        await using var body = spool.Complete();
        // A signature must outlive the queue, and what is for later may yet be put off; a day more for servers that verify late. So long its key must be found.
        var signedUntil = (request.SendAt is null ? expires : now + MaxDelay + sender.QueueLife) + LateVerification;
        var signed = composed.Sign(sender.Keys.Select(k => k.Signer), now, signedUntil);
        await senders.KeepPublishedAsync(sender, signedUntil, cancel);
        var message = await MessageAsync(request, sender, signed, now, cancel);
        var status = request.IsTest ? RecipientStatus.Delivered : release > now ? RecipientStatus.Scheduled : RecipientStatus.Queued;
        var accept = new Accept(message, body, await RecipientsAsync(request, message, status, cancel), release, expires, 0);
        return await CommitAsync(accept, sender, request, cancel);
    }

    /// <summary>Looks whether an account may send as an author, without sending anything.</summary>
    /// <exception cref="SenderNotAllowedException">It may not.</exception>
    /// <exception cref="SenderStoppedException">The account, or the domain, may not send for now.</exception>
    public async Task CheckSenderAsync(long account, Mailbox? from, IReadOnlyCollection<long>? domains, CancellationToken cancel) =>
        await senders.FindAsync(account, from, domains, cancel);

    // The receipt of an earlier send; null where this one is the first.
    private async Task<SubmissionReceipt?> FindAsync(SubmissionRequest request, DateTimeOffset now, CancellationToken cancel)
    {
        var (key, fingerprint) = request.Idempotency!;
        if (await commits.FindAsync(request.AccountId, key, now, cancel) is not { } known) return null;
        if (!known.Fingerprint.AsSpan().SequenceEqual(fingerprint)) throw new IdempotencyMismatchException();
        return JsonSerializer.Deserialize(known.Answer, ReceiptJson.Default.SubmissionReceipt)! with { IsRepeated = true };
    }

    private async Task<Message> MessageAsync(SubmissionRequest request, Sender sender, SignedMessage signed, DateTimeOffset now, CancellationToken cancel)
    {
        var id = await ids.ReserveAsync(2, cancel);
        var unique = (request.ReturnPath ?? sender.ReturnPath) == ReturnPathMode.Unique && sender.ReturnPathDomain is not null;
        return new Message
        {
            Id = id,
            AccountId = request.AccountId,
            Direction = MessageDirection.Outgoing,
            MessageIdHeader = signed.MessageId,
            FromHeader = sender.From.ToString(),
            Subject = request.Subject,
            Size = signed.Size,
            Header = signed.Header,
            BodyId = id + 1,
            Tags = [.. request.Tags],
            Metadata = request.Metadata,
            AcceptedAt = now,
            ReversePath = unique ? null : sender.From.Address.ToString(),
            ReturnPathDomain = unique ? sender.ReturnPathDomain : null,
            RequireTls = request.RequireTls,
            NeedsSmtpUtf8 = signed.NeedsSmtpUtf8,
            DomainId = sender.DomainId,
            SendAt = request.SendAt,
            IsTest = request.IsTest,
        };
    }

    private async Task<List<AcceptedRecipient>> RecipientsAsync(SubmissionRequest request, Message message, RecipientStatus status, CancellationToken cancel)
    {
        var id = await ids.ReserveAsync(request.Recipients.Count * AcceptedRecipient.Ids, cancel);
        var rows = new List<AcceptedRecipient>(request.Recipients.Count);
        foreach (var (kind, address) in request.Recipients)
        {
            var row = new Recipient
            {
                Id = id,
                MessageId = message.Id,
                AccountId = message.AccountId,
                LaneId = await lanes.OfAsync(address.Domain.Ascii, cancel),
                Address = address.ToString(),
                BaseAddress = BaseAddress.Of(address),
                AcceptedAt = message.AcceptedAt,
                Kind = kind,
                Status = status,
                EventSequence = 1,
            };
            rows.Add(new AcceptedRecipient(row, id + 1));
            id += AcceptedRecipient.Ids;
        }
        return rows;
    }

    private async Task<SubmissionReceipt> CommitAsync(Accept accept, Sender sender, SubmissionRequest request, CancellationToken cancel)
    {
        using var place = handover.Reserve(accept);
        if (await WriteAsync(place.Accept, request, cancel) is not { } accepted)
            return await FindAsync(request, accept.Message.AcceptedAt, cancel) ?? throw new IdempotencyInProgressException();
        metrics.Accepted(accept);
        await place.CompleteAsync(sender.Retries, accepted);
        return Receipt(accept);
    }

    // Null where another send has the key.
    private async Task<Accepted?> WriteAsync(Accept accept, SubmissionRequest request, CancellationToken cancel)
    {
        if (request.Idempotency is not { } name) return await commits.WriteAsync(accept, cancel);
        var answer = new IdempotentAnswer
        {
            AccountId = request.AccountId,
            Key = name.Key,
            Fingerprint = name.Fingerprint,
            Answer = Answer(accept),
            CreatedAt = accept.Message.AcceptedAt,
        };
        return await commits.WriteAsync(new IdempotentAccept(accept, answer, () => Answer(accept)), cancel);
    }

    private static string Answer(Accept accept) => JsonSerializer.Serialize(Receipt(accept), ReceiptJson.Default.SubmissionReceipt);

    private static SubmissionReceipt Receipt(Accept accept) => new(
        accept.Message.Id, accept.Message.MessageIdHeader, accept.Message.AcceptedAt, [.. accept.Recipients.Select(r => new ReceiptRecipient(r.Row.Id, r.Row.Address, r.Row.Status))]);

    // Times are shown in milliseconds: what is stored is what was answered.
    private static DateTimeOffset Milliseconds(DateTimeOffset time) => new(time.Ticks - (time.Ticks % TimeSpan.TicksPerMillisecond), time.Offset);
}

[JsonSerializable(typeof(SubmissionReceipt))]
internal sealed partial class ReceiptJson : JsonSerializerContext;
