using Npgsql;

namespace MoxApi.Migrations.Writing;

/// <summary>Tells the faults that pass by themselves, after which a client should just try again, from those that somebody has to look into.</summary>
public static class PassingFault
{
    /// <summary>Whether there is no room left: too much in flight here; or PostgreSQL has no disk, memory or connection left (its class 53).</summary>
    public static bool IsShortage(Exception fault) => Holds(fault, static f => f is NoRoomException or PostgresException { SqlState: ['5', '3', ..] });

    /// <summary>
    /// Whether PostgreSQL cannot be used just now: out of reach, starting, stopping, read-only after a failover, without a free connection in our pool, or it ends
    /// connections for a reason of its own, as when a full disk leaves no room for what a new one writes (<c>XX000</c>, FATAL).
    /// </summary>
    public static bool IsOutage(Exception fault) => Holds(fault, static f => f is NpgsqlException and (
        not PostgresException
        or PostgresException { IsTransient: true }
        or PostgresException { SqlState: PostgresErrorCodes.ReadOnlySqlTransaction }
        or PostgresException { InvariantSeverity: "FATAL" or "PANIC" }));

    // EF Core wraps what it takes for passing.
    private static bool Holds(Exception fault, Func<Exception, bool> test) => test(fault) || (fault.InnerException is { } inner && test(inner));
}
