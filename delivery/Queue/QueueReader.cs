using System.Net;
using Microsoft.Extensions.Logging;
using MoxApi.Delivery.Outcomes;
using MoxApi.Mail.Addresses;
using MoxApi.Migrations.Identifiers;
using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;
using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Delivery.Queue;

/// <summary>Reads what an attempt needs of claimed rows: in one round trip for many, large bodies piece by piece while they are sent.</summary>
internal sealed partial class QueueReader(NpgsqlDataSource database, PublicIds publicIds, TimeProvider time, ILogger<QueueReader> logger)
{
    private const string Outline = "r.id, r.message_id, r.accepted_at, q.attempts, q.expires_at, a.retry_schedule";

    private const string Outlines = $"""
        SELECT {Outline} FROM queue q JOIN recipient r ON r.id = q.recipient_id JOIN account a ON a.id = r.account_id
        WHERE q.recipient_id = ANY ($1) AND q.session_id = $2
        """;

    // The last attempt matters only after the first, when a dual-stack host refused by policy: see LaneWorker.
    private const string Rows = $"""
        SELECT {Outline}, r.address, m.reverse_path, m.return_path_domain, m.require_tls, m.needs_smtp_utf8, m.header, m.body_id, b.size, b."inline", refused.remote_address,
          m.account_id, m.domain_id, {Admission.IsSuppressed}, {Admission.IsOrphaned}, {RecipientChanges.IsStopped}
        FROM queue q JOIN recipient r ON r.id = q.recipient_id JOIN message m ON m.id = r.message_id JOIN body b ON b.id = m.body_id
          JOIN account a ON a.id = m.account_id LEFT JOIN domain d ON d.id = m.domain_id
          LEFT JOIN LATERAL (SELECT remote_address FROM attempt t WHERE q.attempts = 1 AND t.recipient_id = r.id AND t.number = 1
            AND t.outcome = 1 AND t.smtp_code >= 500) refused ON true
        WHERE q.recipient_id = ANY ($1) AND q.session_id = $2
        """;

    /// <summary>
    /// Whether a fault lies in what is stored, and so comes again each time. Others pass; but an I/O error, which Npgsql takes for one of them, is of a block that
    /// cannot be read.
    /// </summary>
    public static bool IsOfStored(Exception fault) =>
        fault is PostgresException { SqlState: PostgresErrorCodes.IoError } || !(fault is OperationCanceledException || PassingFault.IsOutage(fault) || PassingFault.IsShortage(fault));

    /// <summary>What outcomes need of the recipients that the session still holds: nothing of their messages.</summary>
    public async Task<List<QueuedRow>> OutlinesAsync(long session, IReadOnlyCollection<long> recipients, CancellationToken cancel)
    {
        await using var command = Command(Outlines, session, recipients);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var rows = new List<QueuedRow>(recipients.Count);
        while (await reader.ReadAsync(cancel)) rows.Add(ReadOutline(reader, session));
        return rows;
    }

    /// <summary>The recipients that the session still holds, of those asked for, with their messages: one in any case, and as many as there is room for.</summary>
    /// <param name="session">The session.</param>
    /// <param name="recipients">Whom to read.</param>
    /// <param name="room">Octets of messages that there is room for.</param>
    /// <param name="cancel">Gives up.</param>
    public async Task<LoadedRows> LoadAsync(long session, IReadOnlyCollection<long> recipients, long room, CancellationToken cancel)
    {
        await using var command = Command(Rows, session, recipients);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var loaded = new LoadedRows(new(recipients.Count), [], new([], [], []), []);
        var messages = new Dictionary<long, QueuedMessage>();
        while (await reader.ReadAsync(cancel)) Read(reader, session, room, messages, loaded);
        return loaded;
    }

    /// <summary>Writes down that a worker begins with recipients which came back before: should it die of one, it is known which.</summary>
    public async Task MarkInHandAsync(long session, long[] recipients, CancellationToken cancel)
    {
        await using var command = Command("UPDATE queue SET in_hand = true WHERE recipient_id = ANY ($1) AND session_id = $2", session, recipients);
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>A body too large to be inline.</summary>
    public IAsyncEnumerable<ReadOnlyMemory<byte>> ChunksAsync(QueuedMessage message, CancellationToken cancel) =>
        StoredBodies.ChunksAsync(database, message.BodyId, message.BodySize, cancel);

    /// <summary>Gives rows back on which nothing was decided.</summary>
    public async Task ReleaseAsync(IEnumerable<ReadyRow> rows, CancellationToken cancel)
    {
        foreach (var lease in rows.GroupBy(r => r.Lease))
            await LeasedQueue.Mail.ReleaseAsync(database, lease.Key, [.. lease.Select(r => r.Id)], cancel);
    }

    private NpgsqlCommand Command(string statement, long session, IReadOnlyCollection<long> recipients)
    {
        var command = database.CreateCommand(statement);
        command.Parameters.Add(new() { Value = recipients.ToArray() });
        command.Parameters.Add(new() { Value = session });
        return command;
    }

    private void Read(NpgsqlDataReader reader, long session, long room, Dictionary<long, QueuedMessage> messages, LoadedRows loaded)
    {
        if (reader.GetBoolean(18)) loaded.Refused.Suppressed.Add(reader.GetInt64(0));
        else if (reader.GetBoolean(19)) loaded.Refused.Orphaned.Add(reader.GetInt64(0));
        else if (reader.GetBoolean(20)) loaded.Refused.Stopped.Add(reader.GetInt64(0));
        else if (HasRoom(reader, room, messages)) ReadRecipient(reader, session, messages, loaded);
        else loaded.Left.Add(reader.GetInt64(0));
    }

    private static bool HasRoom(NpgsqlDataReader reader, long room, Dictionary<long, QueuedMessage> messages)
    {
        if (messages.Count == 0 || messages.ContainsKey(reader.GetInt64(1))) return true;
        var size = reader.GetBytes(11, 0, null, 0, 0) + (reader.IsDBNull(14) ? 0 : reader.GetInt64(13));
        return messages.Values.Sum(m => m.Bytes) + size <= room;
    }

    // What cannot be read is the trouble of one recipient, not of those beside it.
    private void ReadRecipient(NpgsqlDataReader reader, long session, Dictionary<long, QueuedMessage> messages, LoadedRows loaded)
    {
        var row = ReadOutline(reader, session);
        try
        {
            if (!messages.TryGetValue(row.MessageId, out var message)) messages.Add(row.MessageId, message = ReadMessage(reader));
            loaded.Ready.Add(new(
                row.Id, session, MailAddress.Parse(reader.GetString(6)), row.Attempts, row.ExpiresAt, row.Retries,
                reader.IsDBNull(15) ? null : IPAddress.Parse(reader.GetString(15)), message)
            { CheckedAt = time.GetUtcNow() });
        }
        catch (FormatException fault)
        {
            Log.Unreadable(logger, publicIds.Make(PublicIdKind.Recipient, row.Id), fault);
            loaded.Unreadable.Add(row);
        }
    }

    private static QueuedRow ReadOutline(NpgsqlDataReader reader, long session) => new(
        reader.GetInt64(0), session, reader.GetInt64(1), reader.GetFieldValue<DateTimeOffset>(2), reader.GetInt32(3), reader.GetFieldValue<DateTimeOffset>(4),
        RetrySchedule.TryParse(reader.GetString(5), out var retries) ? retries : RetrySchedule.Default);

    private static QueuedMessage ReadMessage(NpgsqlDataReader reader) => new(
        reader.GetInt64(1), reader.GetInt64(16), reader.IsDBNull(17) ? null : reader.GetInt64(17), reader.GetFieldValue<DateTimeOffset>(2),
        // An empty reverse-path is the null one; absent says that each recipient has its own.
        reader.IsDBNull(7) || reader.GetString(7).Length == 0 ? null : MailAddress.Parse(reader.GetString(7)),
        reader.IsDBNull(8) ? null : reader.GetString(8), (RequireTls)reader.GetInt16(9), reader.GetBoolean(10), reader.GetFieldValue<byte[]>(11),
        reader.GetInt64(12), reader.GetInt64(13), reader.IsDBNull(14) ? (ReadOnlyMemory<byte>?)null : reader.GetFieldValue<byte[]>(14));

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Error, "Recipient {Recipient} cannot be read as it is stored")]
        internal static partial void Unreadable(ILogger logger, string recipient, Exception fault);
    }
}
