using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.Migrations.Writing;
using MoxApi.Webhooks.Events;
using Npgsql;
using NpgsqlTypes;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>What became of an outcome.</summary>
/// <param name="Applied">False when the lease had ended and others decide over the delivery, or when a repeated write had been committed before.</param>
/// <param name="Disabled">Whether the group disabled the delivery's endpoint; told with one delivery of it.</param>
internal readonly record struct WebhookOutcomeResult(bool Applied, bool Disabled);

/// <summary>
/// Writes outcomes: one statement ends or reschedules the queue row, updates the delivery, and keeps the endpoint's health: since when it fails, until when it is
/// paused, whether it is disabled, which is an event for the account's other endpoints. It does so only while the row is leased to the
/// session, at the attempt it was claimed for: so a node that was taken for dead changes nothing, and a statement that is repeated because
/// its answer was lost does nothing the second time, even if the row has been claimed again meanwhile.
/// </summary>
internal sealed class WebhookOutcomeWriter : IGroupWrite<WebhookOutcome, WebhookOutcomeResult>
{
    /// <summary>How long an endpoint may fail without one success until it is disabled.</summary>
    public static readonly TimeSpan LongestFailing = TimeSpan.FromDays(4);

    private const string Gone = "It answered 410: it is gone.";
    private const string Failing = "No call has succeeded for four days.";

    // An endpoint's row is written only where it changes, in the order of ids, so that nodes that meet there do not block each other. The event's id is a block's
    // first; the rest of the block is lost, which happens as rarely as endpoints are disabled.
    private static readonly string Statement = $"""
        WITH o AS (
          SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::int[], $4::smallint[], $5::timestamptz[], $6::timestamptz[], $7::text[], $8::int[], $9::int[],
            $10::text[], $11::text[], $12::bytea[], $13::smallint[], $14::timestamptz[])
          AS o(session_id, delivery_id, attempts, status, due_at, at, error, response_status, duration_ms, request_headers, response_headers, response_body,
            sign, paused_until)),
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
          UPDATE webhook_delivery d SET status = o.status, error = o.error, attempts = d.attempts + 1, last_attempt_at = o.at, response_status = o.response_status,
            duration_ms = o.duration_ms, request_headers = o.request_headers::json, response_headers = o.response_headers::json, response_body = o.response_body
          FROM o JOIN ours ON ours.delivery_id = o.delivery_id WHERE d.id = o.delivery_id AND o.at IS NOT NULL),
        uncalled AS (
          UPDATE webhook_delivery d SET status = o.status, error = o.error
          FROM o JOIN ours ON ours.delivery_id = o.delivery_id WHERE d.id = o.delivery_id AND o.at IS NULL),
        seen AS (
          SELECT ours.endpoint_id AS id, bool_or(o.sign = {(short)EndpointSign.Works}) AS works, bool_or(o.sign = {(short)EndpointSign.Gone}) AS gone,
            min(o.at) FILTER (WHERE o.sign = {(short)EndpointSign.Fails}) AS failed_from, max(o.at) AS at, max(o.paused_until) AS paused_until
          FROM o JOIN ours ON ours.delivery_id = o.delivery_id WHERE o.sign > 0 OR o.paused_until IS NOT NULL GROUP BY ours.endpoint_id),
        change AS (
          SELECT w.id, s.at, s.paused_until, CASE WHEN NOT s.works THEN coalesce(w.failing_since, s.failed_from) END AS failing_since,
            CASE WHEN w.disabled_at IS NOT NULL THEN NULL WHEN s.gone THEN '{Gone}' WHEN NOT s.works AND s.failed_from - w.failing_since >= $15 THEN '{Failing}' END AS reason
          FROM seen s JOIN webhook_endpoint w ON w.id = s.id
          WHERE s.gone OR s.paused_until > coalesce(w.paused_until, '-infinity')
            OR CASE WHEN s.works THEN w.failing_since IS NOT NULL ELSE w.failing_since IS NULL OR s.failed_from - w.failing_since >= $15 END
          ORDER BY w.id FOR NO KEY UPDATE OF w),
        changed AS (
          UPDATE webhook_endpoint w SET failing_since = c.failing_since, paused_until = greatest(w.paused_until, c.paused_until),
            disabled_at = CASE WHEN c.reason IS NULL THEN w.disabled_at ELSE c.at END, disabled_reason = coalesce(c.reason, w.disabled_reason)
          FROM change c WHERE w.id = c.id RETURNING w.id, w.account_id, w.url, c.at, c.reason),
        disabled AS (SELECT * FROM changed WHERE reason IS NOT NULL),
        e AS (
          INSERT INTO event (id, account_id, type, at, sequence, detail)
          SELECT nextval('id_block') * {Migrations.Identifiers.IdBlocks.BlockSize}, account_id, {(short)EventType.WebhookDisabled}, at, 0, {WebhookDetail.Sql} FROM disabled
          RETURNING id, account_id, type, at),
        {EventFanOut.SqlButToDisabled}
        SELECT delivery_id, delivery_id IN (SELECT min(x.delivery_id) FROM ours x JOIN disabled ON disabled.id = x.endpoint_id GROUP BY disabled.id) FROM ours
        """;

    /// <inheritdoc/>
    public long SizeOf(WebhookOutcome item) => 500 + ((item.Error?.Length ?? 0) * 2L) + (item.Call is not { } call
        ? 0
        : (call.ResponseBody?.Length ?? 0) + ((call.RequestHeaders?.Length ?? 0) + (call.ResponseHeaders?.Length ?? 0)) * 2L);

    /// <inheritdoc/>
    public async Task<WebhookOutcomeResult[]> WriteAsync(NpgsqlConnection connection, IReadOnlyList<WebhookOutcome> group, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Statement, connection);
        // In the order of the index. Two groups have no row in common, which are leased to one session, and so need no order among them.
        AddColumns(command, [.. group.OrderBy(o => o.Row.Id)]);
        command.Parameters.Add(new() { Value = LongestFailing });
        var applied = new Dictionary<long, bool>();
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            while (await reader.ReadAsync(cancel)) applied[reader.GetInt64(0)] = reader.GetBoolean(1);
        }
        return group.Select(o => applied.TryGetValue(o.Row.Id, out var disabled) ? new WebhookOutcomeResult(true, disabled) : default).ToArray();
    }

    private static void AddColumns(NpgsqlCommand command, WebhookOutcome[] group)
    {
        Add(o => o.Session);
        Add(o => o.Row.Id);
        Add(o => o.Row.Attempts);
        Add(o => (short)o.Status);
        Add(o => o.NextAttemptAt);
        Add(o => o.AttemptedAt);
        Add(o => o.Error);
        Add(o => o.Call?.Status);
        Add(o => (int?)o.Call?.Duration.TotalMilliseconds);
        Add(o => o.Call?.RequestHeaders);
        Add(o => o.Call?.ResponseHeaders);
        command.Parameters.Add(new() { Value = group.Select(o => o.Call?.ResponseBody).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea });
        Add(o => (short)o.Sign);
        Add(o => o.PausedUntil);
        void Add<TValue>(Func<WebhookOutcome, TValue> column) => command.Parameters.Add(new() { Value = group.Select(column).ToArray() });
    }
}
