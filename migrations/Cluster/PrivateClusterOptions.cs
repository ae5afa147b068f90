using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace MoxApi.Migrations.Cluster;

/// <summary>What somebody wants of the private cluster.</summary>
public enum ClusterUse
{
    /// <summary>The program itself: the only one of its data folder. It starts PostgreSQL, keeps it alive and stops it.</summary>
    Server,

    /// <summary>A short command: it uses the cluster of a running server; where none runs it starts one and stops it again.</summary>
    Command,
}

/// <summary>The parts of opening a private cluster that have a default.</summary>
public sealed record PrivateClusterOptions
{
    /// <summary>Receives starts, stops and deaths of PostgreSQL.</summary>
    public ILogger Logger { get; init; } = NullLogger.Instance;

    /// <summary>The clock of the waits between tries.</summary>
    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>How long to wait for another program that holds the data folder but will give it back (a command, a server that starts).</summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Further lines of <c>postgresql.conf</c>, which win over ours. They apply when this program starts PostgreSQL.</summary>
    public IReadOnlyDictionary<string, string> Settings { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether the cluster has to survive a loss of power; only tests say otherwise.</summary>
    internal bool IsDurable => !Settings.TryGetValue("fsync", out var fsync) || fsync != "off";
}
