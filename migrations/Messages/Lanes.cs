using System.Collections.Concurrent;
using Npgsql;

namespace MoxApi.Migrations.Messages;

/// <summary>Destinations by domain and by id. A lane never changes, so what was read once is kept.</summary>
public sealed class Lanes(NpgsqlDataSource database)
{
    // More domains than this are rare on one node; then the cache starts over.
    private const int Most = 200_000;

    private readonly ConcurrentDictionary<string, long> byDomain = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<long, string> byId = new();

    /// <summary>The lane of a domain in lower-case A-labels, made if it is new.</summary>
    public async ValueTask<long> OfAsync(string domain, CancellationToken cancel)
    {
        if (byDomain.TryGetValue(domain, out var id)) return id;
        // Not in the accept's transaction: two messages to a new domain would wait for each other's commit.
        await using var command = database.CreateCommand("""
            WITH made AS (INSERT INTO lane (domain) SELECT $1 WHERE NOT EXISTS (SELECT 1 FROM lane WHERE domain = $1) ON CONFLICT DO NOTHING RETURNING id)
            SELECT id FROM made UNION ALL SELECT id FROM lane WHERE domain = $1 LIMIT 1
            """);
        command.Parameters.Add(new() { Value = domain });
        // Empty only when another node made the lane between this statement's snapshot and its insert: then it is there now.
        while (true)
        {
            if (await command.ExecuteScalarAsync(cancel) is long found) return Keep(found, domain);
        }
    }

    /// <summary>The domain of a lane.</summary>
    public async ValueTask<string> DomainAsync(long id, CancellationToken cancel)
    {
        if (byId.TryGetValue(id, out var domain)) return domain;
        await using var command = database.CreateCommand("SELECT domain FROM lane WHERE id = $1");
        command.Parameters.Add(new() { Value = id });
        domain = (string)(await command.ExecuteScalarAsync(cancel))!;
        Keep(id, domain);
        return domain;
    }

    private long Keep(long id, string domain)
    {
        if (byId.Count >= Most)
        {
            byDomain.Clear();
            byId.Clear();
        }
        byDomain[domain] = id;
        byId[id] = domain;
        return id;
    }
}
