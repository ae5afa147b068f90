using System.Text.Json;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Secrets;
using MoxApi.Migrations.Webhooks;
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
internal sealed record DueDelivery(LeasedRow Row, WebhookPost? Post, string? Error, bool MayTryAgain)
{
    /// <summary>Whether it is a test, which is posted once, and to a disabled endpoint too.</summary>
    public bool IsTest { get; init; }

    /// <summary>Since when the endpoint has failed.</summary>
    public DateTimeOffset? FailingSince { get; init; }
}

/// <summary>
/// Loads what claimed deliveries need, in one query. The body is made anew for each attempt and is the same each time, because all that goes
/// into it was written once: the event, its attempt, and the parts of message and recipient that never change.
/// </summary>
internal sealed class DueDeliveries(NpgsqlDataSource database, PublicIds ids, SecretBox secrets, TimeProvider time)
{
    private const int Delivery = EventQuery.ColumnCount;

    private const string Query = $"""
        SELECT {EventQuery.Columns}, d.id, w.url, w.allow_private, w.seal_id, w.sealed_secret, w.disabled_at, w.sealed_previous_secret, w.previous_secret_until,
          w.failing_since
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
        if (reader.IsDBNull(Delivery + 1)) return Obsolete(row, ClosedEndpoints.Deleted);
        var isTest = !reader.IsDBNull(0) && reader.GetInt16(1) == (short)EventType.WebhookTest;
        if (!reader.IsDBNull(Delivery + 5) && !isTest) return Obsolete(row, ClosedEndpoints.Disabled);
        if (reader.IsDBNull(0)) return Obsolete(row, "The event was deleted.");
        try
        {
            return new(row, ReadPost(reader), null, false)
            {
                IsTest = isTest,
                FailingSince = reader.IsDBNull(Delivery + 8) ? null : reader.GetFieldValue<DateTimeOffset>(Delivery + 8),
            };
        }
        catch (Exception fault) when (fault is KeyNotFoundException or JsonException or SecretException or UriFormatException or ArgumentException)
        {
            // One delivery that cannot be made does not hold up the others: a program still to be upgraded, or a master key that was lost.
            return new(row, null, $"The event could not be made ready: {fault.Message}", true);
        }
    }

    private WebhookPost ReadPost(NpgsqlDataReader reader) => new(
        new Uri(reader.GetString(Delivery + 1)),
        reader.GetBoolean(Delivery + 2),
        [.. ReadSecrets(reader)],
        ids.Make(PublicIdKind.Event, reader.GetInt64(0)),
        EventQuery.ReadBody(reader, ids));

    /// <summary>The secret; and, until the time is up in which receivers change over, the one before it.</summary>
    private IEnumerable<WebhookSecret> ReadSecrets(NpgsqlDataReader reader)
    {
        var endpoint = WebhookEndpoint.SealContextOf(reader.GetGuid(Delivery + 3));
        yield return Open(Delivery + 4);
        if (!reader.IsDBNull(Delivery + 6) && reader.GetFieldValue<DateTimeOffset>(Delivery + 7) > time.GetUtcNow()) yield return Open(Delivery + 6);
        WebhookSecret Open(int column) => WebhookSecret.FromKey(secrets.Open(reader.GetFieldValue<byte[]>(column), endpoint));
    }

    private static DueDelivery Obsolete(LeasedRow row, string reason) => new(row, null, reason, false);
}
