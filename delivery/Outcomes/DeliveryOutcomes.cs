using MoxApi.Delivery.Queue;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery.Outcomes;

/// <summary>Turns what happened to recipients into committed outcomes, and wakes who has to act on them.</summary>
internal sealed class DeliveryOutcomes(
    IdBlocks ids, GroupCommit<Outcome, OutcomeResult> writer, NodeSession session, TimeProvider time)
{
    /// <summary>The role that posts webhooks.</summary>
    private const string WebhookRole = "webhooks";

    /// <summary>Commits the outcome of an attempt for one recipient. Returns when its next attempt is due, if there is one.</summary>
    public async Task<DateTimeOffset?> CommitAsync(QueuedRecipient recipient, long lease, AttemptRecord record, Verdict verdict, bool tryOtherFamily)
    {
        var first = await ReserveIdsAsync();
        var outcome = Decide(recipient, record, verdict, tryOtherFamily, first, lease);
        var result = await writer.WriteAsync(outcome);
        if (result.Webhooks) session.Wake(WebhookRole);
        return result.Applied ? outcome.NextAttemptAt : null;
    }

    // Like the outcome itself, its ids are asked for until PostgreSQL is back: the message may have been delivered.
    private async Task<long> ReserveIdsAsync()
    {
        while (true)
        {
            try
            {
                return await ids.ReserveAsync(2, CancellationToken.None);
            }
            catch (NpgsqlException fault) when (fault is not PostgresException || fault.IsTransient)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(250), time);
            }
        }
    }

    private Outcome Decide(QueuedRecipient recipient, AttemptRecord record, Verdict verdict, bool tryOtherFamily, long firstId, long lease)
    {
        var now = time.GetUtcNow();
        var delivered = verdict.Class == FailureClass.None;
        DateTimeOffset? next = delivered || (verdict.Ends && !tryOtherFamily) ? null
            : tryOtherFamily ? now
            : recipient.Retries.Next(recipient.Attempts + 1, now, recipient.ExpiresAt, Random.Shared.NextDouble());
        var attempt = new Attempt
        {
            Id = firstId,
            MessageId = recipient.Message.Id,
            RecipientId = recipient.Id,
            At = record.At,
            DurationMs = (int)record.Duration.TotalMilliseconds,
            Outcome = delivered ? AttemptOutcome.Delivered : next is null ? AttemptOutcome.Failed : AttemptOutcome.Delayed,
            RemoteHost = record.Host,
            RemoteAddress = record.Address?.ToString(),
            TlsVersion = record.Tls?.Version,
            TlsCipher = record.Tls?.Cipher,
            TlsVerified = record.Tls?.Verified,
            SmtpCode = verdict.Code,
            EnhancedCode = verdict.Enhanced?.ToString(),
            Reply = verdict.Text,
            FailureClass = verdict.Class,
            Conversation = record.Conversation(),
        };
        var status = delivered ? RecipientStatus.Delivered : next is null ? RecipientStatus.Failed : RecipientStatus.Delayed;
        return new Outcome(lease, attempt, firstId + 1, status, next);
    }
}
