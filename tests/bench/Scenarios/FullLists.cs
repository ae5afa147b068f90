using System.Net.Http.Json;
using System.Text.Json;
using MoxApi.Bench.Peers;
using MoxApi.Migrations.Mailboxes;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Webhooks;
using MoxApi.Tests.Hosting;

namespace MoxApi.Bench.Scenarios;

/// <summary>What else a service has where as many messages wait: a webhook delivery, a suppression and a message that arrived for each, made by SQL.</summary>
internal sealed class FullLists(Stage stage, MoxApiProcess node)
{
    /// <summary>Of so many webhook deliveries the first ones failed, as when an endpoint is away for a while.</summary>
    public const int Failing = 200_000;

    /// <summary>How many failed each time.</summary>
    public const int Failed = 1000;

    // With the newest last, as they would have been made.
    private static readonly string Deliveries = $"""
        INSERT INTO webhook_delivery (endpoint_id, event_id, status, attempts, created_at, last_attempt_at, response_status, duration_ms)
        SELECT (SELECT max(id) FROM webhook_endpoint), id, CASE WHEN failed THEN {(short)WebhookDeliveryStatus.Failed} ELSE {(short)WebhookDeliveryStatus.Delivered} END,
          1, at, at, CASE WHEN failed THEN 503 ELSE 204 END, 5
        FROM (SELECT id, at, row_number() OVER (ORDER BY at) % {Failing} < {Failed} AS failed FROM event WHERE message_id IS NOT NULL) e ORDER BY at
        """;

    private static readonly string Suppressions = $"""
        INSERT INTO suppression (id, account_id, base_address, address, reason, failure_class, created_at)
        SELECT id, account_id, 's' || id || '@bench.example', 's' || id || '@bench.example',
          CASE WHEN row_number() OVER () % {WaitingMessages.Rarity} = 1 THEN {(short)SuppressionReason.Complaint} ELSE {(short)SuppressionReason.Bounce} END, 0, accepted_at
        FROM recipient
        """;

    // Lists show nothing of a header but what is beside it.
    private const string Incoming = """
        INSERT INTO message (id, account_id, direction, message_id_header, from_header, subject, size, header, body_id, tags, metadata, accepted_at, require_tls, needs_smtp_utf8)
        SELECT -id, account_id, 1, message_id_header, from_header, subject, size, '', body_id, '{}', '{}', accepted_at, 0, false FROM message
        """;

    private const string Received = $"""
        WITH inbox AS (
          UPDATE mailbox SET uid_next = 1 + (SELECT count(*) FROM message WHERE direction = 1)
          WHERE name = '{InboxPlaces.Inbox}' AND account_id = (SELECT id FROM account WHERE name = 'acme') RETURNING id, account_id)
        INSERT INTO mailbox_message (mailbox_id, uid, message_id, account_id, received_at, reverse_path, forward_path, remote_address, helo)
        SELECT inbox.id, row_number() OVER (ORDER BY m.accepted_at), m.id, inbox.account_id, m.accepted_at, 'jane@bench.example', 'in@acme.example', '192.0.2.1', 'mx.bench.example'
        FROM message m, inbox WHERE m.direction = 1
        """;

    /// <summary>Makes them; returns the id of the webhook that the deliveries are of.</summary>
    public async Task<string> FillAsync(CancellationToken stop)
    {
        var webhook = await RegisterAsync(stop);
        foreach (var statement in new[] { Deliveries, Suppressions, Incoming, Received }) await ExecuteAsync(statement, stop);
        await stage.SettleAsync(stop);
        return webhook;
    }

    // For events that do not happen here.
    private async Task<string> RegisterAsync(CancellationToken stop)
    {
        using var client = node.Client(stage.Installation.ApiKey);
        var endpoint = stage.Site.Webhooks.Add(WebhookSink.Fast, 0);
        using var answer = await client.PostAsJsonAsync("/v1/webhooks", new { url = endpoint.Url, events = new[] { "message.complained" }, allowPrivate = true }, stop);
        answer.EnsureSuccessStatusCode();
        return (await answer.Content.ReadFromJsonAsync<JsonElement>(stop)).GetProperty("id").GetString()!;
    }

    private async Task ExecuteAsync(string statement, CancellationToken stop)
    {
        await using var command = stage.Installation.Database.CreateCommand(statement);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(stop);
    }
}
