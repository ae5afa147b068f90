using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Queue;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Nodes;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery.Outcomes;

/// <summary>Turns what happened to recipients into committed outcomes, and wakes who has to act on them.</summary>
internal sealed partial class DeliveryOutcomes(
    IdBlocks ids, GroupCommit<Outcome, OutcomeResult> writer, NodeSession session, PublicIds publicIds, DeliveryMetrics metrics, TimeProvider time,
    ILogger<DeliveryOutcomes> logger)
{
    private static readonly TimeSpan RetryWait = TimeSpan.FromMilliseconds(250);

    /// <summary>Commits the outcome of an attempt for one recipient. Returns when its next attempt is due, if there is one.</summary>
    public async Task<DateTimeOffset?> CommitAsync(QueuedRow recipient, AttemptRecord record, Verdict verdict, bool tryOtherFamily)
    {
        var outcome = Decide(recipient, record, verdict, tryOtherFamily, await ReserveIdsAsync());
        var result = await WriteAsync(outcome);
        if (result.Webhooks) session.Wake(Roles.Webhooks);
        if (!result.Applied) return null;
        metrics.Count(outcome, time.GetUtcNow() - recipient.AcceptedAt);
        return outcome.NextAttemptAt;
    }

    // Like the outcome itself, its ids are asked for until PostgreSQL gives them: a delivery that was not written down would be made again.
    private async Task<long> ReserveIdsAsync()
    {
        while (true)
        {
            try
            {
                return await ids.ReserveAsync(2, CancellationToken.None);
            }
            catch (NpgsqlException fault)
            {
                Log.NoIds(logger, fault.Message);
                await Task.Delay(RetryWait, time);
            }
        }
    }

    // What a server says must not decide whether an outcome can be stored: without its words there is nothing to refuse.
    private async Task<OutcomeResult> WriteAsync(Outcome outcome)
    {
        try
        {
            return await writer.WriteAsync(outcome);
        }
        catch (Exception fault) when (fault is PostgresException or ArgumentException)
        {
            Log.Refused(logger, publicIds.Make(PublicIdKind.Recipient, outcome.Attempt.RecipientId), fault);
            (outcome.Attempt.Reply, outcome.Attempt.Conversation) = ("The reply cannot be stored.", "[]");
            return await writer.WriteAsync(outcome);
        }
    }

    private Outcome Decide(QueuedRow recipient, AttemptRecord record, Verdict verdict, bool tryOtherFamily, long firstId)
    {
        var now = time.GetUtcNow();
        var delivered = verdict.Class == FailureClass.None;
        DateTimeOffset? next = delivered || (verdict.Ends && !tryOtherFamily) ? null
            : tryOtherFamily ? now
            : recipient.Retries.Next(recipient.Attempts + 1, now, recipient.ExpiresAt, Random.Shared.NextDouble());
        var attempt = new Attempt
        {
            Id = firstId,
            MessageId = recipient.MessageId,
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
            Reply = verdict.Reply,
            FailureClass = verdict.Class,
            Conversation = record.Conversation(),
        };
        var status = delivered ? RecipientStatus.Delivered : next is null ? RecipientStatus.Failed : RecipientStatus.Delayed;
        return new Outcome(recipient.Lease, attempt, firstId + 1, status, next, status == RecipientStatus.Failed ? verdict.Suppression : SuppressionRule.None);
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Warning, "An outcome waits for PostgreSQL: {Fault}")]
        internal static partial void NoIds(ILogger logger, string fault);

        [LoggerMessage(LogLevel.Error, "The outcome for recipient {Recipient} is refused as it is, and stored without the server's words")]
        internal static partial void Refused(ILogger logger, string recipient, Exception fault);
    }
}
