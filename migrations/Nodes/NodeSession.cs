using System.Collections.Concurrent;
using Microsoft.Extensions.Logging;
using MoxApi.Migrations.Leases;
using Npgsql;

namespace MoxApi.Migrations.Nodes;

/// <summary>
/// This node's session: one row, renewed on PostgreSQL's clock over a connection of its own, on which wake-ups of other nodes arrive too.
/// Everything this node leases names the row; when it is not renewed in time, other nodes delete it and take the leases. Then this node,
/// should it still live, begins a new session and drops what it held (<see cref="Lost"/>).
/// </summary>
public sealed partial class NodeSession : IAsyncDisposable
{
    private const string Channel = "moxapi_wake";

    private readonly NpgsqlDataSource database;
    private readonly string[] roles;
    private readonly LeaseTimes lease;
    private readonly TimeProvider time;
    private readonly ILogger<NodeSession> logger;
    private readonly CancellationTokenSource stopping = new();
    private readonly Dictionary<string, WakeSignal> signals;
    private NpgsqlConnection? connection;
    private Task? loop;
    private long connectedAt;
    private long renewedAt;
    private volatile bool named; // The name was this node's at the last renewal, over a connection that still stands as far as is known.
    private volatile HashSet<string> rolesElsewhere = [];
    private CancellationTokenSource lost = new();
    private readonly ConcurrentDictionary<string, bool> notifying = [];

    public NodeSession(NpgsqlDataSource database, string node, IReadOnlyCollection<string> roles, LeaseTimes lease, TimeProvider time, ILogger<NodeSession> logger)
    {
        (this.database, Node, this.roles, this.lease, this.time, this.logger) = (database, node, [.. roles], lease, time, logger);
        signals = roles.ToDictionary(r => r, _ => new WakeSignal(time));
    }

    /// <summary>The node's name; an advisory lock keeps it to one program.</summary>
    public string Node { get; }

    /// <summary>The session's id, which leases name.</summary>
    public long Id { get; private set; }

    /// <summary>Cancelled when the session was lost: what was leased under it belongs to others. Read it before <see cref="Id"/>.</summary>
    public CancellationToken Lost => lost.Token;

    /// <summary>
    /// Whether the last committed renewal is young enough to send a final dot. Counted from before the renewal was sent. Not while the connection is away:
    /// the node's name went with it, and who takes that takes the leases.
    /// </summary>
    public bool IsSafe => named && time.GetElapsedTime(Volatile.Read(ref renewedAt)) < lease.Unsafe && !lost.IsCancellationRequested;

    /// <summary>Whether this node's connection has stood long enough that every living node could renew its session meanwhile.</summary>
    public bool MayJudgeOthers => connection is not null && time.GetElapsedTime(Volatile.Read(ref connectedAt)) > lease.Lost;

    /// <summary>The lengths in force.</summary>
    public LeaseTimes Lease => lease;

    /// <summary>The wake-up of a role's loop on this node.</summary>
    public WakeSignal Signal(string role) => signals[role];

    /// <summary>Takes the node's name and begins the session.</summary>
    /// <exception cref="NodeNameTakenException">Another program runs under this name.</exception>
    public async Task StartAsync(CancellationToken cancel)
    {
        // A program that was killed gives its lock back when PostgreSQL notices, which may take a moment.
        var deadline = time.GetTimestamp();
        while (!await TryConnectAsync(cancel))
        {
            if (time.GetElapsedTime(deadline) > TimeSpan.FromSeconds(10)) throw new NodeNameTakenException(Node);
            await Task.Delay(TimeSpan.FromMilliseconds(100), time, cancel);
        }
        await BeginAsync(cancel);
        loop = Task.Run(RunAsync, CancellationToken.None);
    }

    /// <summary>Wakes a role's loop: on this node if it runs here, else on another after the commits of the next 5 ms.</summary>
    public void Wake(string role)
    {
        if (signals.TryGetValue(role, out var signal)) signal.Set();
        else if (rolesElsewhere.Contains(role) && notifying.TryAdd(role, true)) _ = NotifyAsync(role);
    }

    /// <summary>Deletes sessions that were not renewed, and older ones of this node's name. Their rows are then nobody's.</summary>
    public async Task EndDeadSessionsAsync(CancellationToken cancel)
    {
        await using var command = database.CreateCommand("""
            DELETE FROM session WHERE (node = $1 AND id < $2) OR ($3 AND seen_at < clock_timestamp() - $4)
            """);
        command.Parameters.Add(new() { Value = Node });
        command.Parameters.Add(new() { Value = Id });
        command.Parameters.Add(new() { Value = MayJudgeOthers });
        command.Parameters.Add(new() { Value = lease.Lost });
        await command.ExecuteNonQueryAsync(cancel);
    }

    /// <summary>
    /// Ends the session. What delivery still holds then are messages whose final dot was sent and whose outcome is not known: they come back as
    /// those of a node that died, which is written down.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        await stopping.CancelAsync();
        if (loop is not null) await loop;
        try
        {
            await LeasedQueue.Webhooks.ReleaseAllAsync(database, Id, CancellationToken.None);
            await using var command = database.CreateCommand("DELETE FROM session WHERE id = $1");
            command.Parameters.Add(new() { Value = Id });
            await command.ExecuteNonQueryAsync();
        }
        catch (NpgsqlException fault)
        {
            Log.NotEnded(logger, Node, fault.Message); // The rows come back when the session is not renewed.
        }
        if (connection is not null) await CloseAsync(connection);
        stopping.Dispose();
    }

    private async Task RunAsync()
    {
        while (!stopping.IsCancellationRequested)
        {
            try
            {
                if (connection is null && !await TryConnectAsync(stopping.Token)) throw new NodeNameTakenException(Node);
                await RenewAsync(stopping.Token);
                await ListenAsync(lease.Renew, stopping.Token);
            }
            catch (Exception fault) when (!stopping.IsCancellationRequested)
            {
                named = false;
                Log.Disconnected(logger, Node, fault.Message);
                if (connection is not null) await CloseAsync(connection);
                connection = null;
                await Task.Delay(TimeSpan.FromMilliseconds(250), time, stopping.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception)
            {
                return; // Stopped, be it in the middle of a statement.
            }
        }
    }

    private async Task<bool> TryConnectAsync(CancellationToken cancel)
    {
        var opened = await database.OpenConnectionAsync(cancel);
        var mayHaveLock = true; // Also where the answer is lost.
        try
        {
            await using var command = new NpgsqlCommand("SELECT pg_try_advisory_lock(hashtextextended('moxapi:node:' || $1, 0))", opened) { Parameters = { new() { Value = Node } } };
            mayHaveLock = await command.ExecuteScalarAsync(cancel) is true;
            if (!mayHaveLock) return false;
            opened.Notification += (_, notice) =>
            {
                if (signals.TryGetValue(notice.Payload, out var signal)) signal.SetFromElsewhere();
            };
            await using var listen = new NpgsqlCommand($"LISTEN {Channel}", opened);
            await listen.ExecuteNonQueryAsync(cancel);
            connection = opened;
            Volatile.Write(ref connectedAt, time.GetTimestamp());
            return true;
        }
        finally
        {
            if (connection != opened) await (mayHaveLock ? CloseAsync(opened) : opened.DisposeAsync());
        }
    }

    // Back in the pool, the connection would keep the lock and what it listens to. So the pool is cleared, which closes it, and at once those that are idle.
    private ValueTask CloseAsync(NpgsqlConnection opened)
    {
        database.Clear();
        return opened.DisposeAsync();
    }

    private async Task BeginAsync(CancellationToken cancel)
    {
        var before = time.GetTimestamp();
        await using var command = new NpgsqlCommand("INSERT INTO session (node, roles, seen_at) VALUES ($1, $2, clock_timestamp()) RETURNING id", connection)
        {
            Parameters = { new() { Value = Node }, new() { Value = roles } },
        };
        Id = (long)(await command.ExecuteScalarAsync(cancel))!;
        Volatile.Write(ref renewedAt, before);
        named = true;
        Log.Began(logger, Node, Id);
    }

    private async Task RenewAsync(CancellationToken cancel)
    {
        var before = time.GetTimestamp();
        await using var command = new NpgsqlCommand("""
            WITH mine AS (UPDATE session SET seen_at = clock_timestamp() WHERE id = $1 RETURNING id)
            SELECT (SELECT id FROM mine), (SELECT array_agg(DISTINCT role) FROM session s, unnest(s.roles) role WHERE s.id <> $1 AND s.seen_at > clock_timestamp() - $2)
            """, connection)
        {
            Parameters = { new() { Value = Id }, new() { Value = lease.Lost } },
        };
        await using (var reader = await command.ExecuteReaderAsync(cancel))
        {
            await reader.ReadAsync(cancel);
            rolesElsewhere = reader.IsDBNull(1) ? [] : [.. reader.GetFieldValue<string[]>(1)];
            if (!reader.IsDBNull(0))
            {
                Volatile.Write(ref renewedAt, before);
                named = true;
                return;
            }
        }
        Log.LostSession(logger, Node, Id);
        var ended = lost;
        await BeginAsync(cancel);
        lost = new CancellationTokenSource();
        await ended.CancelAsync();
    }

    private async Task ListenAsync(TimeSpan atMost, CancellationToken cancel)
    {
        var start = time.GetTimestamp();
        while (time.GetElapsedTime(start) is var gone && gone < atMost && await connection!.WaitAsync(AtLeastOne(atMost - gone), cancel))
        {
            // The notification was handled; wait on.
        }
    }

    // Npgsql takes less than a millisecond for "without end".
    private static TimeSpan AtLeastOne(TimeSpan wait) => TimeSpan.FromMilliseconds(Math.Max(1, Math.Ceiling(wait.TotalMilliseconds)));

    private async Task NotifyAsync(string role)
    {
        try
        {
            // A NOTIFY inside the accepts' transactions would serialise their commits; one after several commits costs nothing.
            await Task.Delay(TimeSpan.FromMilliseconds(5), time, stopping.Token);
            notifying.TryRemove(role, out _);
            await using var command = database.CreateCommand("SELECT pg_notify($1, $2)");
            command.Parameters.Add(new() { Value = Channel });
            command.Parameters.Add(new() { Value = role });
            await command.ExecuteNonQueryAsync(stopping.Token);
        }
        catch (Exception fault) when (fault is NpgsqlException or OperationCanceledException)
        {
            // The other node's poll finds the rows.
        }
    }

    private static partial class Log
    {
        [LoggerMessage(LogLevel.Information, "Node {Node} began session {Session}")]
        internal static partial void Began(ILogger logger, string node, long session);

        [LoggerMessage(LogLevel.Warning, "Node {Node} lost session {Session}: it was not renewed in time and its leases were taken")]
        internal static partial void LostSession(ILogger logger, string node, long session);

        [LoggerMessage(LogLevel.Warning, "Node {Node} cannot reach PostgreSQL: {Fault}")]
        internal static partial void Disconnected(ILogger logger, string node, string fault);

        [LoggerMessage(LogLevel.Warning, "Node {Node} could not end its session: {Fault}")]
        internal static partial void NotEnded(ILogger logger, string node, string fault);
    }
}

/// <summary>Another program runs under this node's name.</summary>
public sealed class NodeNameTakenException(string node)
    : Exception($"Another node named \"{node}\" uses this database. Give each node a name of its own (Node:Name, or MOXAPI_Node__Name).");
