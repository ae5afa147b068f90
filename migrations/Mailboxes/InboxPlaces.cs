using Npgsql;

namespace MoxApi.Migrations.Mailboxes;

/// <summary>Places in an account's Inbox, given out in order and without gaps.</summary>
/// <param name="MailboxId">The Inbox.</param>
/// <param name="FirstUid">The first of consecutive UIDs.</param>
public readonly record struct InboxPlaces(long MailboxId, long FirstUid)
{
    /// <summary>The name of the mailbox where mail arrives (RFC 9051 §5.1).</summary>
    public const string Inbox = "Inbox";

    private const string Take = """
        INSERT INTO mailbox (account_id, name, uid_next) VALUES ($1, $2, 1 + $3)
        ON CONFLICT (account_id, name) DO UPDATE SET uid_next = mailbox.uid_next + $3
        RETURNING id, uid_next - $3
        """;

    /// <summary>
    /// Takes places within the connection's transaction, and makes the Inbox where there is none. Until the transaction ends no other gets
    /// places in this Inbox, so that UIDs become visible in their order (RFC 9051 §2.3.1.1): take them last.
    /// </summary>
    public static async Task<InboxPlaces> TakeAsync(NpgsqlConnection connection, long accountId, int count, CancellationToken cancel)
    {
        await using var command = new NpgsqlCommand(Take, connection)
        {
            Parameters = { new() { Value = accountId }, new() { Value = Inbox }, new() { Value = (long)count } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancel);
        await reader.ReadAsync(cancel);
        return new InboxPlaces(reader.GetInt64(0), reader.GetInt64(1));
    }
}
