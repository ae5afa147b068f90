using System.ComponentModel.DataAnnotations;

namespace MoxApi.Delivery;

/// <summary>How much a node does at once. The section <c>Delivery</c> of the configuration.</summary>
public sealed class DeliveryOptions
{
    /// <summary>Connections to mail servers at once, in all. Those that wait overlong for the answer to a final dot, and cannot be given up, come on top.</summary>
    [Range(1, 100_000)]
    public int MaxConnections { get; init; } = 4000;

    /// <summary>
    /// Of these, how many at most to destinations that did not prove to be quick; never more than half. Half of them are for destinations of which
    /// nothing is known, half for those that were slow.
    /// </summary>
    [Range(1, 100_000)]
    public int MaxUncertainConnections { get; init; } = 2000;

    /// <summary>A destination is slow while a connection or a transaction takes longer.</summary>
    [Range(typeof(TimeSpan), "00:00:00.1", "00:10:00")]
    public TimeSpan SlowAfter { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// Addresses of a destination that an attempt tries, one after the other; both families of five hosts, which is what the largest providers have.
    /// RFC 5321 §5.1 allows a limit, and wants two at least.
    /// </summary>
    [Range(2, 200)]
    public int MaxAddressesPerAttempt { get; init; } = 10;

    /// <summary>Beyond the second address, an attempt begins no other when it has lasted longer. Three servers that take all the time there is for a greeting.</summary>
    [Range(typeof(TimeSpan), "00:00:01", "02:00:00")]
    public TimeSpan NextAddressWithin { get; init; } = TimeSpan.FromMinutes(15);

    /// <summary>Connections to one destination.</summary>
    [Range(1, 1000)]
    public int MaxConnectionsPerDestination { get; init; } = 10;

    /// <summary>Recipients in one SMTP transaction (RFC 5321 §4.5.3.1.8: servers take 100 at least).</summary>
    [Range(1, 1000)]
    public int MaxRecipientsPerTransaction { get; init; } = 100;

    /// <summary>Transactions on one connection before it is replaced, so that load is spread over the hosts of a domain again.</summary>
    [Range(1, 1_000_000)]
    public int MaxTransactionsPerConnection { get; init; } = 1000;

    /// <summary>How long an idle connection waits for the next message to its destination.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "00:10:00")]
    public TimeSpan IdleConnection { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Rows of the queue that this node may hold leased.</summary>
    [Range(1, 10_000_000)]
    public int MaxLeased { get; init; } = 100_000;

    /// <summary>Rows of one destination that this node may hold leased.</summary>
    [Range(1, 1_000_000)]
    public int MaxLeasedPerDestination { get; init; } = 500;

    /// <summary>
    /// Octets of messages that may wait in memory between their accept and their delivery. What workers read from the queue has to find room in the shares of it too, but for one
    /// message each.
    /// </summary>
    [Range(0, long.MaxValue)]
    public long MaxBytesInMemory { get; init; } = 64 << 20;

    /// <summary>How long messages in flight may take to finish when the program stops; what is not finished by then is given back.</summary>
    [Range(typeof(TimeSpan), "00:00:00", "01:00:00")]
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(15);
}
