using MoxApi.Migrations.Leases;
using MoxApi.Migrations.Messages;
using Npgsql;

namespace MoxApi.Delivery.Queue;

/// <summary>Recipients that are not to be sent to, although they were accepted.</summary>
/// <param name="Suppressed">On the suppression list of their account: that ends them.</param>
/// <param name="Stopped">Of an account or domain that may not send for now: they are held.</param>
/// <param name="Orphaned">Of an account or domain that is deleted: they are canceled.</param>
internal sealed record RefusedRows(List<long> Suppressed, List<long> Stopped, List<long> Orphaned)
{
    /// <summary>All of them.</summary>
    public IEnumerable<long> All => Suppressed.Concat(Stopped).Concat(Orphaned);
}

/// <summary>
/// Whether recipients may be sent to. That was looked up when they were accepted, and is again before each attempt that comes later: addresses are
/// suppressed, accounts and domains suspended, while messages wait.
/// </summary>
internal sealed class Admission(NpgsqlDataSource database, RecipientChanges changes)
{
    /// <summary>Of a recipient <c>r</c>.</summary>
    public const string IsSuppressed = """
        EXISTS (SELECT 1 FROM suppression s WHERE s.account_id = r.account_id AND s.base_address = r.base_address AND (s.expires_at IS NULL OR s.expires_at > now()))
        """;

    /// <summary>Of a message <c>m</c>, its account <c>a</c> and the author's domain <c>d</c>: as at the accept, what names a domain that is gone is not sent.</summary>
    public const string IsOrphaned = "(a.deleted_at IS NOT NULL OR (m.domain_id IS NOT NULL AND d.id IS NULL))";

    private const string Statement = $"""
        SELECT r.id, {IsSuppressed}, {IsOrphaned}, {RecipientChanges.IsStopped}
        FROM recipient r JOIN message m ON m.id = r.message_id JOIN account a ON a.id = r.account_id LEFT JOIN domain d ON d.id = m.domain_id
        WHERE r.id = ANY ($1)
        """;

    // Who was stopped earlier was seen when the recipients were read: no transaction takes so long.
    private const string StoppedLately = """
        SELECT id, true FROM account WHERE greatest(suspended_at, paused_at, deleted_at) > now() - interval '1 day'
        UNION ALL SELECT id, false FROM domain WHERE suspended_at > now() - interval '1 day'
        """;

    private volatile HashSet<(long Id, bool IsAccount)> stopped = [];

    /// <summary>How long an answer holds. In this time most messages are on their way, without being looked up twice.</summary>
    public TimeSpan Fresh { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Looks up who was stopped lately. The resident job does, every few seconds.</summary>
    public async Task RefreshAsync(CancellationToken cancel)
    {
        await using var command = database.CreateCommand(StoppedLately);
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var found = new HashSet<(long, bool)>();
        while (await reader.ReadAsync(cancel)) found.Add((reader.GetInt64(0), reader.GetBoolean(1)));
        stopped = found;
    }

    /// <summary>Whether this node knows that the message's account or domain was stopped: asked just before a final dot.</summary>
    public bool IsKnownToBeStopped(QueuedMessage message) =>
        stopped is { Count: > 0 } known && (known.Contains((message.AccountId, true)) || (message.DomainId is { } domain && known.Contains((domain, false))));

    /// <summary>Those of some recipients that are not to be sent to.</summary>
    public async Task<RefusedRows> CheckAsync(long[] recipients, CancellationToken cancel)
    {
        await using var command = database.CreateCommand(Statement);
        command.Parameters.Add(new() { Value = recipients });
        await using var reader = await command.ExecuteReaderAsync(cancel);
        var refused = new RefusedRows([], [], []);
        while (await reader.ReadAsync(cancel))
        {
            if (reader.GetBoolean(1)) refused.Suppressed.Add(reader.GetInt64(0));
            else if (reader.GetBoolean(2)) refused.Orphaned.Add(reader.GetInt64(0));
            else if (reader.GetBoolean(3)) refused.Stopped.Add(reader.GetInt64(0));
        }
        return refused;
    }

    /// <summary>Ends or holds recipients that a session has leased. Whose sender was let go on meanwhile goes back to the queue.</summary>
    public async Task RefuseAsync(RefusedRows refused, long lease, CancellationToken cancel)
    {
        if (refused.Suppressed.Count > 0) await changes.ApplyAsync(refused.Suppressed, RecipientChange.Suppress, lease, null, cancel);
        if (refused.Orphaned.Count > 0) await changes.ApplyAsync(refused.Orphaned, RecipientChange.Cancel, lease, null, cancel);
        if (refused.Stopped.Count == 0) return;
        var held = await changes.ApplyAsync(refused.Stopped, RecipientChange.Hold, lease, null, cancel);
        await LeasedQueue.Mail.ReleaseAsync(database, lease, [.. refused.Stopped.Except(held)], cancel);
    }
}
