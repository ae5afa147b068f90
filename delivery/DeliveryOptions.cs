using System.ComponentModel.DataAnnotations;

namespace MoxApi.Delivery;

/// <summary>How much a node does at once. The section <c>Delivery</c> of the configuration.</summary>
public sealed class DeliveryOptions
{
    /// <summary>Connections to mail servers at once, in all.</summary>
    [Range(1, 100_000)]
    public int MaxConnections { get; init; } = 4000;

    /// <summary>Of these, how many at most to destinations that did not take a connection last time or were never tried.</summary>
    [Range(1, 100_000)]
    public int MaxUncertainConnections { get; init; } = 2000;

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
    public TimeSpan IdleConnection { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Rows of the queue that this node may hold leased.</summary>
    [Range(1, 10_000_000)]
    public int MaxLeased { get; init; } = 100_000;

    /// <summary>Rows of one destination that this node may hold leased.</summary>
    [Range(1, 1_000_000)]
    public int MaxLeasedPerDestination { get; init; } = 500;

    /// <summary>Octets of messages that may wait in memory between their accept and their delivery.</summary>
    [Range(0, long.MaxValue)]
    public long MaxBytesInMemory { get; init; } = 64 << 20;

    /// <summary>How long messages in flight may take to finish when the program stops; what is not finished by then is given back.</summary>
    public TimeSpan StopWithin { get; init; } = TimeSpan.FromSeconds(15);
}
