using System.Text.Json;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Webhooks;
using MoxApi.OpenApi;
using MoxApi.Webhooks.Events;
using MoxApi.Webhooks.Posting;
using MoxApi.Webhooks.Signing;
using Npgsql;

namespace MoxApi.Webhooks.Dispatch;

/// <summary>A claimed delivery, ready to be posted or not.</summary>
/// <param name="Row">What was claimed.</param>
/// <param name="Post">What to post, and where.</param>
/// <param name="Error">Why there is nothing to post.</param>
/// <param name="MayTryAgain">Whether that may change: a later attempt may succeed.</param>
internal sealed record DueDelivery(LeasedRow Row, WebhookPost? Post, string? Error, bool MayTryAgain);

/// <summary>
/// Loads what claimed deliveries need, in one query. The body is made anew for each attempt and is the same each time, because all that goes
/// into it was written once: the event, its attempt, and the parts of message and recipient that never change.
/// </summary>
internal sealed class DueDeliveries(NpgsqlDataSource database, PublicIds ids, SecretBox secrets)
{
    private const int Delivery = EventQuery.ColumnCount;

    private const string Query = $"""
        SELECT {EventQuery.Columns}, d.id, w.url, w.allow_private, w.seal_id, w.sealed_secret, w.disabled_at
        FROM webhook_delivery d LEFT JOIN webhook_endpoint w ON w.id = d.endpoint_id LEFT JOIN event e ON e.id = d.event_id {EventQuery.Joins}
        WHERE d.id = ANY ($1)
        """;

    /// <summary>An answer for each row, in any order.</summary>
    public async Task<List<DueDelivery>> LoadAsync(IReadOnlyCollection<LeasedRow> rows, CancellationToken cancel)
    {
        var missing = rows.ToDictionary(r => r.Id);
        var loaded = new List<DueDelivery>(rows.Count);
        await using var command = database.CreateCommand(Query);
        command.Parameters.Add(new() { Value = missing.Keys.ToArray() });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        while (await reader.ReadAsync(cancel))
        {
            missing.Remove(reader.GetInt64(Delivery), out var row);
            loaded.Add(Read(reader, row));
        }
        // Its endpoint was deleted while this was under way.
        loaded.AddRange(missing.Values.Select(row => Obsolete(row, "The delivery was deleted.")));
        return loaded;
    }

    private DueDelivery Read(NpgsqlDataReader reader, LeasedRow row)
    {
        if (reader.IsDBNull(Delivery + 1)) return Obsolete(row, "The webhook was deleted.");
        if (!reader.IsDBNull(Delivery + 5)) return Obsolete(row, "The webhook is disabled.");
        if (reader.IsDBNull(0)) return Obsolete(row, "The event was deleted.");
        try
        {
            return new(row, ReadPost(reader), null, false);
        }
        catch (Exception fault) when (fault is KeyNotFoundException or JsonException or SecretException or UriFormatException or ArgumentException)
        {
            // One delivery that cannot be made does not hold up the others: a program still to be upgraded, or a master key that was lost.
            return new(row, null, $"The event could not be made ready: {fault.Message}", true);
        }
    }

    private WebhookPost ReadPost(NpgsqlDataReader reader)
    {
        var body = EventQuery.Read(reader, ids);
        var endpoint = WebhookEndpoint.SealContextOf(reader.GetGuid(Delivery + 3));
        var secret = WebhookSecret.FromKey(secrets.Open(reader.GetFieldValue<byte[]>(Delivery + 4), endpoint));
        return new(
            new Uri(reader.GetString(Delivery + 1)),
            reader.GetBoolean(Delivery + 2),
            secret,
            body.Data.EventId,
            JsonSerializer.SerializeToUtf8Bytes(body, WireJson.Options));
    }

    private static DueDelivery Obsolete(LeasedRow row, string reason) => new(row, null, reason, false);
}
