using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using MoxApi.Webhooks.Posting;
using Npgsql;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>What became of a delivery that was claimed.</summary>
/// <param name="Session">The session that claimed it.</param>
/// <param name="Row">What was claimed.</param>
/// <param name="Status">From now on; <see cref="WebhookDeliveryStatus.Pending"/> keeps it in the queue.</param>
/// <param name="NextAttemptAt">When the next attempt is due, while there is one.</param>
/// <param name="AttemptedAt">When the endpoint was called; absent where it was not.</param>
/// <param name="ResponseStatus">The answer's HTTP status.</param>
/// <param name="Error">What went wrong.</param>
/// <param name="DisableEndpoint">Whether the endpoint is not to be posted to any more.</param>
internal sealed record WebhookOutcome(
    long Session,
    LeasedRow Row,
    WebhookDeliveryStatus Status,
    DateTimeOffset? NextAttemptAt,
    DateTimeOffset? AttemptedAt,
    int? ResponseStatus,
    string? Error,
    bool DisableEndpoint)
{
    /// <summary>Judges a call, or that there was nothing to call.</summary>
    /// <param name="session">The session that claimed the row.</param>
    /// <param name="due">What was claimed.</param>
    /// <param name="at">When the attempt began.</param>
    /// <param name="result">What became of the call; null where there was none.</param>
    /// <param name="now">When it ended: gaps count from here.</param>
    /// <param name="random">The jitter of the next attempt.</param>
    public static WebhookOutcome Of(long session, DueDelivery due, DateTimeOffset at, PostResult? result, DateTimeOffset now, Random random)
    {
        if (result is null && !due.MayTryAgain) return new(session, due.Row, WebhookDeliveryStatus.Failed, null, null, null, due.Error, false);
        if (result is { Succeeded: true }) return new(session, due.Row, WebhookDeliveryStatus.Delivered, null, at, result.Status, null, false);
        var gone = result is { IsGone: true };
        var gap = gone ? null : RetrySchedule.NextGap(due.Row.Attempts + 1, result?.RetryAfter, random);
        var status = gap is null ? WebhookDeliveryStatus.Failed : WebhookDeliveryStatus.Pending;
        return new(session, due.Row, status, now + gap, at, result?.Status, result is null ? due.Error : result.Error, gone);
    }
}

/// <summary>
/// Writes outcomes: one statement ends or reschedules the queue row and updates the delivery. It does so only while the row is leased to the
/// session, at the attempt it was claimed for: so a node that was taken for dead changes nothing, and a statement that is repeated because
/// its answer was lost does nothing the second time, even if the row has been claimed again meanwhile. The result is whether it applied.
/// </summary>
internal sealed class WebhookOutcomeWriter : IGroupWrite<WebhookOutcome, bool>
{
    private const string Statement = """
        WITH o AS (
          SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::smallint[], $5::timestamptz[], $6::timestamptz[], $7::int[], $8::text[], $9::bool[])
          AS o(session_id, delivery_id, attempts, status, due_at, at, response_status, error, disable)),
        finished AS (
          DELETE FROM webhook_queue q USING o
          WHERE q.delivery_id = o.delivery_id AND q.session_id = o.session_id AND q.attempts = o.attempts AND o.due_at IS NULL
          RETURNING q.delivery_id, q.endpoint_id),
        later AS (
          UPDATE webhook_queue q SET session_id = NULL, due_at = o.due_at, attempts = q.attempts + 1, reclaims = 0
          FROM o WHERE q.delivery_id = o.delivery_id AND q.session_id = o.session_id AND q.attempts = o.attempts AND o.due_at IS NOT NULL
          RETURNING q.delivery_id, q.endpoint_id),
        ours AS (SELECT * FROM finished UNION ALL SELECT * FROM later),
        d AS (
          UPDATE webhook_delivery d SET status = o.status, attempts = d.attempts + (o.at IS NOT NULL)::int, last_attempt_at = coalesce(o.at, d.last_attempt_at),
            response_status = o.response_status, error = o.error
          FROM o JOIN ours ON ours.delivery_id = o.delivery_id WHERE d.id = o.delivery_id),
        disabled AS (
          UPDATE webhook_endpoint w SET disabled_at = o.at
          FROM o JOIN ours ON ours.delivery_id = o.delivery_id WHERE o.disable AND w.id = ours.endpoint_id AND w.disabled_at IS NULL)
        SELECT delivery_id FROM ours
        """;

    /// <inheritdoc/>
    public long SizeOf(WebhookOutcome item) => 200 + ((item.Error?.Length ?? 0) * 2L);

    /// <inheritdoc/>
    public async Task<bool[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<WebhookOutcome> group, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Statement, connection);
        // Sorted, so that two groups that meet lock rows in the same order.
        AddColumns(command, [.. group.OrderBy(o => o.Row.Id)]);
        var applied = new HashSet<long>();
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel)) applied.Add(reader.GetInt64(0));
        }
        return group.Select(o => applied.Contains(o.Row.Id)).ToArray();
    }

    private static void AddColumns(NpgsqlCommand command, WebhookOutcome[] group)
    {
        Add(o => o.Session);
        Add(o => o.Row.Id);
        Add(o => o.Row.Attempts);
        Add(o => (short)o.Status);
        Add(o => o.NextAttemptAt);
        Add(o => o.AttemptedAt);
        Add(o => o.ResponseStatus);
        Add(o => o.Error);
        Add(o => o.DisableEndpoint);
        void Add<TValue>(Func<WebhookOutcome, TValue> column) => command.Parameters.Add(new() { Value = group.Select(column).ToArray() });
    }
}
