using MoxApi.Migrations.Writing;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>What an erasure did; see the properties of the same names in the contract.</summary>
/// <param name="Recipients">Recipients whose address was replaced.</param>
/// <param name="Messages">Messages whose contents were deleted.</param>
/// <param name="WebhookDeliveries">Webhook deliveries whose requests and answers were deleted.</param>
/// <param name="Unfinished">Messages that are not finished, of which nothing was erased.</param>
public readonly record struct ErasedMessages(int Recipients, int Messages, int WebhookDeliveries, int Unfinished)
{
    /// <summary>The sums of both.</summary>
    public ErasedMessages Plus(ErasedMessages more) =>
        new(Recipients + more.Recipients, Messages + more.Messages, WebhookDeliveries + more.WebhookDeliveries, Unfinished + more.Unfinished);
}

/// <summary>
/// Erases what is stored of a recipient in an account's messages: his address, and the contents of every message that went to him. What remains are numbers:
/// when something was sent, and how it ended.
/// </summary>
public static class RecipientErasure
{
    /// <summary>What stands in place of an erased address. RFC 6761 §6.4: there is no domain below <c>invalid</c>, so it cannot be sent to.</summary>
    public const string Placeholder = "erased@erased.invalid";

    // Contents are shared by all recipients of a message, and a conversation names those it was about: they go with the message, whoever it went to besides.
    // A message that is not finished for everybody must keep them.
    private const string Statement = """
        WITH page AS (SELECT id, message_id FROM recipient WHERE id = ANY ($1) AND base_address = $2),
        busy AS (SELECT DISTINCT r.message_id FROM recipient r WHERE r.message_id IN (SELECT message_id FROM page) AND r.status IN (0, 1, 2, 3)),
        m AS (
          UPDATE message SET header = '', subject = '', tags = '{}', metadata = '{}', content_deleted_at = coalesce(content_deleted_at, $3)
          WHERE id IN (SELECT message_id FROM page) AND id NOT IN (SELECT message_id FROM busy)
          RETURNING id, body_id),
        b AS (UPDATE body SET size = 0, "inline" = '' WHERE id IN (SELECT body_id FROM m)),
        c AS (DELETE FROM body_chunk WHERE body_id IN (SELECT body_id FROM m)),
        a AS (
          UPDATE attempt SET conversation = '[]', reply = ''
          WHERE recipient_id IN (SELECT r.id FROM recipient r WHERE r.message_id IN (SELECT id FROM m))),
        e AS (UPDATE event SET detail = NULL WHERE message_id IN (SELECT id FROM m) AND type <> 2 AND detail IS NOT NULL),
        posted AS MATERIALIZED (
          SELECT d.id FROM webhook_delivery d WHERE d.event_id IN (SELECT v.id FROM event v WHERE v.message_id IN (SELECT id FROM m)) ORDER BY d.id FOR UPDATE),
        w AS (
          UPDATE webhook_delivery d SET request_headers = NULL, response_headers = NULL, response_body = NULL, error = NULL FROM posted WHERE d.id = posted.id
          RETURNING d.id),
        r AS (
          UPDATE recipient SET address = $4, base_address = $4 WHERE id IN (SELECT page.id FROM page JOIN m ON m.id = page.message_id)
          RETURNING id)
        SELECT (SELECT count(*)::int FROM r), (SELECT count(*)::int FROM m), (SELECT count(*)::int FROM w), (SELECT count(*)::int FROM busy)
        """;

    /// <summary>Erases recipients of one address: some at a time, since it is one transaction.</summary>
    /// <param name="database">Where the messages are.</param>
    /// <param name="recipients">Their ids. Those that do not have the address any more are left out.</param>
    /// <param name="baseAddress">Their address: see <see cref="Recipient.BaseAddress"/>.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancel">Gives up, with nothing erased.</param>
    public static Task<ErasedMessages> EraseAsync(NpgsqlDataSource database, IEnumerable<long> recipients, string baseAddress, DateTimeOffset now, CancellationToken cancel)
    {
        object[] parameters = [recipients.ToArray(), baseAddress, now, Placeholder];
        return Deadlock.RetryAsync(stop => EraseAsync(database, parameters, stop), cancel);
    }

    private static async Task<ErasedMessages> EraseAsync(NpgsqlDataSource database, object[] parameters, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(Statement);
        foreach (var value in parameters) command.Parameters.Add(new() { Value = value });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new(reader.GetInt32(0), reader.GetInt32(1), reader.GetInt32(2), reader.GetInt32(3));
    }
}
