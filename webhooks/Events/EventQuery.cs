using System.Text.Json;
using MoxApi.Migrations.Identifiers;
using MoxApi.OpenApi;
using MoxApi.OpenApi.Events;
using Npgsql;
using EventType = MoxApi.Migrations.Messages.EventType;
using FailureClass = MoxApi.Migrations.Messages.FailureClass;

namespace MoxApi.Webhooks.Events;

/// <summary>The part that statements reading events have in common, and how its columns become the public object.</summary>
internal static class EventQuery
{
    /// <summary>The columns, to be the first of a statement.</summary>
    public const string Columns = """
        e.id, e.type, e.at, e.account_id, e.sequence, e.recipient_id, r.address, e.message_id, m.message_id_header, m.subject, m.tags, m.metadata::text,
        e.attempt_id, a.number, a.smtp_code, a.enhanced_code, a.reply, a.failure_class, a.remote_host, e.detail::text, m.is_test
        """;

    /// <summary>The number of <see cref="Columns"/>.</summary>
    public const int ColumnCount = 21;

    /// <summary>The joins to a table of events named <c>e</c>.</summary>
    public const string Joins = """
        LEFT JOIN message m ON m.id = e.message_id LEFT JOIN recipient r ON r.id = e.recipient_id LEFT JOIN attempt a ON a.id = e.attempt_id
        """;

    /// <summary>Makes the event of a row.</summary>
    /// <exception cref="KeyNotFoundException">A newer program stored it, during an upgrade.</exception>
    public static Event Read(NpgsqlDataReader row, PublicIds ids)
    {
        var type = (EventType)row.GetInt16(1);
        return new()
        {
            Type = Stored.ToWire(type),
            Timestamp = row.GetFieldValue<DateTimeOffset>(2),
            Data = new()
            {
                EventId = ids.Make(PublicIdKind.Event, row.GetInt64(0)),
                Sequence = row.IsDBNull(5) ? null : row.GetInt32(4),
                AccountId = ids.Make(PublicIdKind.Account, row.GetInt64(3)),
                Message = row.IsDBNull(7) ? null : ReadMessage(row, ids),
                Recipient = row.IsDBNull(6) ? null : ReadRecipient(row, type, ids),
                Attempt = row.IsDBNull(13) ? null : ReadAttempt(row),
                Webhook = type is EventType.WebhookTest or EventType.WebhookDisabled && !row.IsDBNull(19) ? WebhookDetail.Read(row.GetString(19), ids) : null,
                Account = type is EventType.AccountPaused && !row.IsDBNull(19) ? AccountDetail.Read(row.GetString(19)) : null,
            },
        };
    }

    /// <summary>What is posted for a row: the same octets each time.</summary>
    public static byte[] ReadBody(NpgsqlDataReader row, PublicIds ids) => JsonSerializer.SerializeToUtf8Bytes(Read(row, ids), WireJson.Options);

    private static EventRecipient ReadRecipient(NpgsqlDataReader row, EventType type, PublicIds ids) => new()
    {
        Id = ids.Make(PublicIdKind.Recipient, row.GetInt64(5)),
        Address = row.GetString(6),
        Status = Stored.StatusAfter(type, row.IsDBNull(19) ? null : row.GetString(19)),
    };

    // Of a message that was deleted since, the id is left.
    private static EventMessage ReadMessage(NpgsqlDataReader row, PublicIds ids)
    {
        var deleted = row.IsDBNull(8);
        return new()
        {
            Id = ids.Make(PublicIdKind.Message, row.GetInt64(7)),
            MessageId = deleted ? "" : row.GetString(8),
            Subject = deleted ? "" : row.GetString(9),
            Tags = deleted ? [] : row.GetFieldValue<string[]>(10),
            Metadata = deleted ? new Dictionary<string, string>() : JsonSerializer.Deserialize<Dictionary<string, string>>(row.GetString(11))!,
            Test = !deleted && row.GetBoolean(20) ? true : null,
        };
    }

    private static EventAttempt ReadAttempt(NpgsqlDataReader row) => new()
    {
        Number = row.GetInt32(13),
        SmtpCode = row.GetInt32(14) is var code and > 0 ? code : null,
        EnhancedCode = row.IsDBNull(15) ? null : row.GetString(15),
        Reply = row.GetString(16),
        FailureClass = Stored.ToWire((FailureClass)row.GetInt16(17)),
        RemoteHost = row.IsDBNull(18) ? null : row.GetString(18),
    };
}
